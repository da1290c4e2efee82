"""The simulated phone: deterministic, its noise has the variance that is stated."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import phone
from gdp.picture import to_image
from tests.photos import astronaut


def test_a_seed_gives_the_same_photo():
    clean = to_image(astronaut(48))[0]
    first = phone.phone(clean, "strong", seed=3)
    assert first.dtype == np.uint8 and first.shape == (48, 48, 3)
    assert np.array_equal(first, phone.phone(clean, "strong", seed=3))
    assert not np.array_equal(first, phone.phone(clean, "strong", seed=4))


def test_the_strong_one_is_worse():
    clean = to_image(astronaut(96))[0]
    truth = 255 * clean.permute(1, 2, 0).numpy()
    mild, strong = (
        float(np.square(phone.phone(clean, name, 0) - truth).mean()) for name in phone.STRENGTHS
    )
    assert 1.5 * mild < strong < 0.02 * 255**2


def test_files_are_jpegs_of_their_quality():
    clean = to_image(astronaut(32))[0]
    for name, strength in phone.STRENGTHS.items():
        written = Image.open(io.BytesIO(phone.phone_file(clean, name)))
        like = Image.open(io.BytesIO(phone.jpeg(clean, strength.quality)))
        assert written.format == "JPEG" and written.quantization == like.quantization


@pytest.mark.parametrize("strength", phone.STRENGTHS.values(), ids=phone.STRENGTHS)
@pytest.mark.parametrize("light", [0.05, 0.4])
def test_raw_noise_has_the_stated_variance(strength, light):
    raw = torch.full((200, 200), light, dtype=torch.float64)
    noisy = phone.expose(raw, strength, np.random.default_rng(0))
    assert float(noisy.mean()) == pytest.approx(light, rel=0.01)
    stated = strength.shot * light + strength.read**2
    assert float(noisy.var()) == pytest.approx(stated, rel=0.03)


def test_light_passes_the_camera_unchanged():
    gains = phone.draw_gains(np.random.default_rng(1))
    chance = torch.Generator().manual_seed(0)
    pixels = 0.3 + 0.4 * torch.rand(3, 4, 6, dtype=torch.float64, generator=chance)
    light = phone.unprocess(pixels, gains)
    assert light.min() > 0 and light[1].mean() > 1.3 * light[0].mean()
    assert torch.allclose(phone.process(light * gains.view(3, 1, 1)), pixels, atol=1e-4)


def test_colours_are_not_swapped():
    red = torch.tensor([0.7, 0.2, 0.1]).view(3, 1, 1).expand(3, 32, 32)
    for name in phone.DEMOSAICS:
        pixels = phone.develop(red, None, demosaic=name)
        assert torch.allclose(pixels.mean((1, 2)).float(), red[:, 0, 0], atol=0.02)


def test_it_refuses_what_it_does_not_know():
    clean = torch.rand(3, 16, 16)
    for words in ({"strength": "dark"}, {"demosaic": "none"}):
        with pytest.raises(ValueError, match="choose of mild, strong and malvar, bilinear"):
            phone.phone(clean, **words)
    with pytest.raises(ValueError, match="8 pixels"):
        phone.phone(clean[:, :4])
