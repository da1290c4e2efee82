"""The noise of a photo, estimated; and sigma_y=auto on the command line."""

import json
import sys
from pathlib import Path

import pytest
import skimage.data
import torch
from PIL import Image

from gdp import cli as program
from gdp.picture import rounded
from gdp.restore.noise.level import estimate_sigma
from gdp.restore.observe import degrade, take
from operators.identity import Identity

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")


def photo(name: str, size: int = 160) -> torch.Tensor:
    """The middle of one of scikit-image's photos, [1, 3, size, size]."""
    pixels = torch.from_numpy(getattr(skimage.data, name)()).permute(2, 0, 1)[None].float() / 255
    top, left = ((n - size) // 2 for n in pixels.shape[-2:])
    return pixels[..., top : top + size, left : left + size]


def noisy(pixels: torch.Tensor, sigma: float) -> torch.Tensor:
    return pixels + sigma * torch.randn(pixels.shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("sigma, most", [(0.02, 0.25), (0.05, 0.1), (0.1, 0.06), (0.3, 0.06)])
def test_it_is_near(sigma, most):
    for name in PHOTOS:
        assert estimate_sigma(noisy(photo(name), sigma)) == pytest.approx(sigma, rel=most)


def test_small_photos_are_not_found_quieter():
    ratios = [estimate_sigma(noisy(photo(name, 96), 0.1)) / 0.1 for name in PHOTOS]
    assert sum(ratios) / len(ratios) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("sigma, most", [(0.05, 0.1), (0.1, 0.12), (0.3, 0.15)])
def test_clipped_noise_does_not_count(sigma, most):
    for name in PHOTOS:
        assert estimate_sigma(rounded(noisy(photo(name), sigma))) == pytest.approx(sigma, rel=most)
    framed = rounded(noisy(photo("coffee"), sigma))
    framed[..., :50], framed[..., 130:] = 0, 1
    assert estimate_sigma(framed) == pytest.approx(sigma, rel=0.2)


def test_clean_photos_are_clean():
    assert max(estimate_sigma(photo(name, 256)) for name in PHOTOS) < 0.006
    assert estimate_sigma(torch.full((1, 3, 32, 32), 0.5)) < 1e-6
    for end in (0.0, 1.0):
        assert estimate_sigma(torch.full((1, 3, 32, 32), end)) == 0


def test_grey_and_batches():
    grey = noisy(photo("coffee").mean(1, keepdim=True), 0.1)
    assert (
        estimate_sigma(grey)
        == pytest.approx(estimate_sigma(grey.expand(1, 3, -1, -1)))
        == pytest.approx(0.1, rel=0.1)
    )
    assert estimate_sigma(noisy(photo("coffee").expand(2, -1, -1, -1), 0.1)) == pytest.approx(
        0.1, rel=0.1
    )
    lacking = torch.cat([grey, torch.zeros_like(grey), grey], 1)
    assert estimate_sigma(lacking) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("size", [16, 17, 40])
def test_small_pictures(size):
    assert estimate_sigma(noisy(photo("chelsea", size), 0.1)) == pytest.approx(0.1, rel=0.35)


def test_too_small_is_refused():
    with pytest.raises(ValueError, match=r"40x15 picture.*16x16.*sigma_y=NUMBER"):
        estimate_sigma(torch.rand(1, 3, 15, 40))


def test_white_noise_of_any_size_is_its_own():
    for shape in ((1, 3, 64, 900), (1, 1, 700, 500)):
        assert estimate_sigma(0.5 + 0.2 * torch.randn(shape)) == pytest.approx(0.2, rel=0.06)


def test_the_pipeline_estimates():
    A, pixels = Identity(), noisy(photo("coffee"), 0.1)
    _, known = take(pixels, A, "auto", 0.001)
    assert known.sigma_y == pytest.approx(0.2, rel=0.1)
    _, known = take(torch.full((1, 3, 32, 32), 0.5), A, "auto", 0.001)
    assert known.sigma_y == 0.002  # that of the file's rounding
    y, known = degrade(photo("coffee"), A, "auto", [0])
    assert torch.equal(y, 2 * photo("coffee") - 1) and known.sigma_y < 0.02
    _, known = degrade(photo("coffee"), A, "auto", [0], poisson=50)
    assert known.sigma_y > 0.1
    assert A.sigma_y == 0.0  # noise belongs to y: the operator that was given knows none


@pytest.mark.parametrize("sigma", [0.0, 0.2])
def test_on_the_command_line(sigma, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    picture = rounded(noisy(torch.full((1, 3, 24, 24), 0.5), sigma))[0].permute(1, 2, 0)
    Image.fromarray((picture * 255).byte().numpy()).save("a.png")
    monkeypatch.setattr(
        sys,
        "argv",
        ["run.py", "task=denoise", "input=a.png", "sigma_y=auto", "steps=2", "output=o"],
    )
    assert program.main() == 0
    report = json.loads(Path("o/a.json").read_text())
    assert report["sigma_y_estimated"] and report["config"]["sigma_y"] == "auto"
    assert report["sigma_y"] == pytest.approx(sigma, rel=0.3, abs=0.002)
    said = capsys.readouterr().err
    assert f"a.png: sigma_y={report['sigma_y']:.4f}, estimated" in said
    assert ("next to no noise" in said) == (sigma == 0)
