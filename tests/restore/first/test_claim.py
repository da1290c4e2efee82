"""Much noise that was claimed and is not there is taken back; a claim that is right stands."""

import importlib

import pytest
import torch
from PIL import Image
from skimage import data

import gdp
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.evenness import taken_where_flat
from operators.tools.transforms import dct2, idct2

choose = importlib.import_module("gdp.restore.noise.choose")
claim = importlib.import_module("gdp.restore.first.claim")
estimate = choose.estimate


def noisy(size: int, suffix: str, folder) -> tuple[torch.Tensor, object, float]:
    """A cat [3, size, size] in [0, 1], the file of it in smooth noise, and the noise's rms."""
    pixels = torch.from_numpy(data.chelsea()).float().permute(2, 0, 1)[:, 60:, 90:] / 255
    clean = pixels[:, :size, :size]
    z = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))[None]
    row = 1 / (1 + torch.arange(size) / (size / 4))
    noise = idct2(dct2(z) * torch.outer(row, row))[0]
    noise = 0.07 * noise / noise.square().mean().sqrt()

    levels = (255 * (clean + noise).clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    file = folder / f"photo{suffix}"
    Image.fromarray(levels).save(file, **({"quality": 95} if suffix == ".jpg" else {}))
    return clean, file, float(noise.square().mean().sqrt())


def too_large(*args, **settings) -> NoiseModel:
    """1.8 times the noise that is found."""
    model = estimate(*args, **settings)
    return model.scaled(1.8 * model.std)


def db(pixels: torch.Tensor, clean: torch.Tensor) -> float:
    return float(-10 * (pixels[0, 0].clamp(0, 1) - clean).square().mean().log10())


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_claim_that_is_too_large_is_taken_back(tmp_path, monkeypatch, suffix):
    clean, file, std = noisy(128, suffix, tmp_path)
    right = gdp.restore(file, task="denoise", sigma_y="auto")
    assert right.reports[0]["noise"]["std"] == pytest.approx(std, rel=0.3)
    found = right.reports[0]["noise"]["std"]

    monkeypatch.setattr(choose, "estimate", too_large)
    claimed = gdp.restore(file, task="denoise", sigma_y="auto")
    assert claimed.reports[0]["nfe"] == 2 * right.reports[0]["nfe"]
    assert claimed.reports[0]["noise"]["std"] < 1.4 * found

    # As it would have become by that claim, and as the right one makes it.
    monkeypatch.setattr(claim, "STANDS", 0.0)
    left = gdp.restore(file, task="denoise", sigma_y="auto")
    assert left.reports[0]["noise"]["std"] > 1.7 * found
    assert db(claimed.pixels, clean) > db(left.pixels, clean) + 0.3
    assert db(claimed.pixels, clean) > db(right.pixels, clean) - 0.9


def test_so_is_one_that_was_found_where_a_std_far_off_was_told(tmp_path, monkeypatch):
    _, file, _ = noisy(128, ".png", tmp_path)
    monkeypatch.setattr(choose, "estimate", too_large)
    auto, far = (gdp.restore(file, task="denoise", sigma_y=told) for told in ("auto", 0.5))
    torch.testing.assert_close(far.pixels, auto.pixels)
    assert far.reports[0]["nfe"] == auto.reports[0]["nfe"]


def test_noise_that_is_told_is_left_as_told(tmp_path):
    _, file, _ = noisy(96, ".png", tmp_path)
    once = gdp.restore(file, task="denoise", sigma_y=0.07, noise="white")
    assert once.reports[0]["noise"]["std"] == pytest.approx(0.07)


def test_what_was_taken_where_it_is_flat():
    """Half of the noise over a half that is flat; more beside it, where texture hides it."""
    x = torch.zeros(128, 128)
    x[:, 64:] = torch.randn(128, 64, generator=torch.Generator().manual_seed(0))
    change = torch.randn(128, 128, generator=torch.Generator().manual_seed(1))
    change[:, :64] *= 0.5
    assert taken_where_flat(change, x, torch.ones(128, 128)) == pytest.approx(0.5, rel=0.1)
