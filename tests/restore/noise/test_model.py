"""The noise of a photo as a model: estimated, told, saved, and whitened at the door."""

import json
import logging

import numpy as np
import pytest
import torch
from PIL import Image

import gdp
from benchmarks.phone import STRENGTHS, develop
from gdp.restore.noise import NoiseModel, estimate
from gdp.restore.noise.choose import noise_of, told
from gdp.restore.noise.model import OPPONENT
from gdp.restore.noise.sources import of_patch, read
from gdp.restore.observe import take
from operators.identity import Identity
from operators.missing.mask import RandomMask
from tests.photos import astronaut


def photo(size=256):
    """A part of the astronaut, [1, 3, size, size] in [0, 1]."""
    return (astronaut(size) + 1) / 2


def white(like, std, seed=0):
    return std * torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))


def coloured(like, seed=0):
    """Noise that is smooth over a few pixels, and grey."""
    z = torch.randn((1, 1, *like.shape[-2:]), generator=torch.Generator().manual_seed(seed))
    taps = torch.tensor([1.0, 2, 1]) / 4
    smooth = torch.nn.functional.conv2d(z, torch.outer(taps, taps)[None, None], padding=1)
    return 0.12 * smooth.expand_as(like)


def test_white_noise_is_called_white():
    model = estimate((photo() + white(photo(), 0.05)).clamp(0, 1))
    assert model.is_white and model.std == pytest.approx(0.05, rel=0.2)


def test_white_is_exact():
    model = NoiseModel.white(0.05)
    assert model.std == 0.05 and model.is_white and not model.describe()["coloured"]
    y, A = take(photo(64), Identity(), 0.05, 0.001)
    assert A.sigma_y == 0.1 and A.whitening is None
    same, y_same = A.whitened(y)
    assert same is A and y_same is y


def test_smooth_grey_noise_is_found_so():
    noise = coloured(photo())
    model = estimate(photo() + noise)
    assert not model.is_white
    assert model.std == pytest.approx(float(noise.square().mean().sqrt()), rel=0.25)
    assert model.spectrum[0, 2:6, 2:6].mean() > 2 * model.spectrum[0, 26:, 26:].mean()
    assert model.spectrum[0, 8:16, 8:16].mean() > 3 * model.spectrum[1, 8:16, 8:16].mean()


def test_white_noise_is_found_under_texture_that_is_everywhere():
    """Grey texture that differs from place to place, as grass does; the colours tell the noise."""
    size, generator = 160, torch.Generator().manual_seed(3)
    amount = 0.4 + 2.6 * torch.rand((1, 1, size // 16, size // 16), generator=generator)
    amount = torch.nn.functional.interpolate(amount, scale_factor=16.0)
    noisy = 0.5 + amount * coloured(photo(size))
    for std in (0.02, 0.05):
        model = estimate(noisy + white(noisy, std))
        assert model.is_white and model.std == pytest.approx(std, rel=0.2)


def many_coloured(size):
    """Texture all over, mostly grey, less of it red against blue, and next to none of the third."""
    return sum(
        share * coloured(photo(size), seed)[:, :1] * OPPONENT[seed].view(1, 3, 1, 1)
        for seed, share in enumerate((1.5, 0.8, 0.1))
    )


@pytest.mark.parametrize("std", [0.01, 0.03])
def test_white_noise_is_found_under_texture_that_is_in_colours_too(std):
    texture = 0.5 + many_coloured(160)
    assert not estimate(texture).is_white
    model = estimate(texture + white(texture, std))
    assert model.is_white and model.std == pytest.approx(std, rel=0.15)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_demosaicked_noise_has_its_rms(strength):
    clean = photo()[0]
    noisy, still = (develop(clean, s, 1)[None].float() for s in (STRENGTHS[strength], None))
    true = float((noisy - still).square().mean().sqrt())
    model = estimate((noisy * 255).round() / 255)
    assert not model.is_white and model.std == pytest.approx(true, rel=0.3)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_demosaicked_noise_under_texture_has_its_rms(strength):
    """Grey texture all over the photo, which was taken for twice as much noise as there was."""
    generator = torch.Generator().manual_seed(3)
    amount = 0.2 + 0.6 * torch.rand((1, 1, 10, 10), generator=generator)
    amount = torch.nn.functional.interpolate(amount, scale_factor=16.0)
    clean = (0.5 + amount * coloured(photo(160)))[0]
    noisy, still = (develop(clean, s, 1)[None].float() for s in (STRENGTHS[strength], None))
    true = float((OPPONENT[0] @ (noisy - still)[0].flatten(1)).square().mean().sqrt())
    found = float(estimate((noisy * 255).round() / 255).spectrum[0].square().mean().sqrt())
    assert found == pytest.approx(true, rel=0.35)


def test_noise_that_grows_with_the_light():
    ramp = torch.linspace(0.1, 0.9, 256).expand(1, 3, 256, 256)
    noisy = ramp + white(ramp, 1.0) * 0.1 * ramp.sqrt()
    model = estimate(noisy)
    dark, bright = float(model.curve[3]), float(model.curve[13])
    assert bright / dark == pytest.approx((0.8125 / 0.1875) ** 0.5, rel=0.3)


def test_a_toned_picture_has_noise_along_its_tone():
    tone = torch.tensor([1.1, 0.9, 0.7]).view(1, 3, 1, 1)
    grey = 0.2 + 0.5 * photo().mean(1, keepdim=True)
    model = estimate((grey + white(grey, 0.05)) * tone)
    torch.testing.assert_close(model.colours[0], (tone / tone.norm()).flatten(), atol=0.02, rtol=0)
    assert model.spectrum[0].mean() > 20 * model.spectrum[1:].mean()


def test_small_pictures_and_blank_ones():
    for size in (16, 17, 40):
        assert estimate(0.5 + white(torch.zeros(1, 3, size, size), 0.1)).std < 0.2
    for value in (0.0, 0.5, 1.0):
        assert estimate(torch.full((1, 3, 48, 48), value)).std < 0.002
    with pytest.raises(ValueError, match="16x16"):
        estimate(torch.zeros(1, 3, 15, 40))


def test_the_door_whitens_what_can_be():
    pixels = photo() + coloured(photo())
    y, A = take(pixels, Identity(), estimate(pixels), 0.001)
    B, z = A.whitened(y)
    assert B is not A and B.sigma_y == pytest.approx(A.sigma_y, rel=0.1)
    torch.testing.assert_close(B.pinv(z), y, atol=1e-4, rtol=0)
    assert take(pixels, RandomMask(), estimate(pixels), 0.001)[1].whitening is None


def test_kinds_of_noise(tmp_path):
    pixels = photo(128) + white(photo(128), 0.05)
    assert noise_of(pixels, "camera", 0.02).std == pytest.approx(0.02)
    assert not noise_of(pixels, "camera").is_white
    grain = noise_of(pixels, "grain")
    assert grain.spectrum[1:].max() < 0.01 < grain.spectrum[0].min()
    with pytest.raises(ValueError, match="JPEG"):
        noise_of(pixels, "jpeg")
    with pytest.raises(OSError, match="no such file"):
        noise_of(pixels, "nowhere.png")

    file = tmp_path / "a.jpg"
    pixels8 = (photo(64)[0].permute(1, 2, 0) * 255).byte().numpy()
    Image.fromarray(pixels8).save(file, quality=50)
    saved = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None] / 255
    model = noise_of(saved, "jpeg", file=file)
    assert model.std == pytest.approx(float((saved - photo(64)).square().mean().sqrt()), rel=0.3)


def test_of_a_patch_and_saved(tmp_path):
    flat = 0.4 + coloured(photo(128))
    model = of_patch(flat)
    assert model.std == pytest.approx(float((flat - 0.4).square().mean().sqrt()), rel=0.15)
    model.save(tmp_path / "camera.safetensors")
    again = read(tmp_path / "camera.safetensors")
    torch.testing.assert_close(again.spectrum, model.spectrum)
    (tmp_path / "camera.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no saved noise"):
        read(tmp_path / "camera.safetensors")


def test_a_std_that_the_photo_does_not_bear_out(caplog):
    pixels = (photo(160) + white(photo(160), 0.1)).clamp(0, 1)
    with caplog.at_level(logging.WARNING, "gdp"):
        assert told(0.1, pixels).std == 0.1 and not caplog.records
        assert told(0.2, pixels).std == pytest.approx(0.113, abs=0.02)
        assert "noise=white" in caplog.text
        assert told(0.05, pixels).std > 0.07
    assert told(0.0, pixels).std == 0 and noise_of(pixels, sigma_y=0.3).std == 0.3
    assert noise_of(pixels, "white", 0.3).std == 0.3


def test_a_grey_photo_stays_grey(photo64):
    grey = photo(64).mean(1, keepdim=True)
    pixels = (grey + white(grey, 0.1)).clamp(0, 1).expand(-1, 3, -1, -1)[0]
    result = gdp.restore(pixels, task="denoise", sigma_y="auto", prior=photo64, steps=2)
    assert torch.equal(result.image, result.image[:1].expand_as(result.image))
    assert result.report["nfe"] == 2
    said = json.loads(json.dumps(result.report))["noise"]
    assert said["coloured"] and said["std"] == pytest.approx(0.1, rel=0.3)
    assert len(said["std_of_channels"]) == 3
