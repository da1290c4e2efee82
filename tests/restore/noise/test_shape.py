"""The spectrum of noise: colours have no more of it than grey allows, and no less."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from gdp.restore.noise.blocks import directions
from gdp.restore.noise.estimate import estimate
from gdp.restore.noise.evenness import is_grain, is_loud
from gdp.restore.noise.model import orders
from gdp.restore.noise.shape import (
    CHROMA,
    SAME,
    bounded,
    colour_level,
    held_to_colours,
)

LOWEST = orders() < 0.125
NEXT = (orders() >= 0.125) & (orders() < 0.25)


def variance(colours: float, grey: float = 0.02) -> torch.Tensor:
    """A flat variance [3, 32, 32] of these stds."""
    stds = torch.tensor([grey, colours, colours])
    return stds.square()[:, None, None].expand(3, 32, 32).clone()


def test_a_scene_s_colours_are_no_noise():
    stds = bounded(variance(0.2)).sqrt()
    torch.testing.assert_close(stds[1:], torch.full_like(stds[1:], 0.02 * CHROMA))


def test_colours_that_a_codec_has_rounded_away_are_noisy_elsewhere():
    stds = bounded(variance(0.003)).sqrt()
    assert float(stds[1:, LOWEST].min()) == pytest.approx(0.75 * 0.02)
    assert float(stds[2, NEXT].max()) == pytest.approx(0.5 * 0.02)
    assert float(stds[1:, ~(LOWEST | NEXT)].max()) == pytest.approx(0.003)


def test_fine_colours_that_a_codec_has_rounded_away_fall_as_cameras_do():
    """Colours of 0.02 up to a quarter of the highest frequency, next to none above."""
    order, v = orders(), variance(0.02, grey=0.02)
    v[1:, order >= 0.25] = 1e-8
    colours = bounded(v)[1].sqrt()

    at_a_half = float(colours[order == 0.5].mean())
    assert at_a_half == pytest.approx(0.083 * 0.02 * 0.5**-1.5, rel=1e-3)
    assert float(colours[order == 0.25].mean()) > at_a_half > float(colours[order > 0.9].mean())
    assert float(colours[order > 0.9].min()) > 0.0015


def test_a_grey_photo_has_no_colours():
    assert float(bounded(variance(1e-6))[1:].max()) < 1e-11


def test_white_noise_stays_white():
    torch.testing.assert_close(bounded(variance(0.02)), variance(0.02))


def test_grey_texture_over_a_sensor_s_noise_is_no_noise():
    """Colours of 0.04 up to a half of the highest frequency, as JPEG leaves them, and much grey."""
    order, v = orders(), variance(0.04, grey=0.08)
    v[1:, order >= 0.5] = 1e-8
    grey = bounded(v)[0].sqrt()
    middle = (order >= 0.25) & (order < 0.5)
    expected = 0.04 * (1.35 - 0.9 * order)
    torch.testing.assert_close(grey[order >= 0.5], expected[order >= 0.5], rtol=1e-4, atol=0)
    most = expected[middle].maximum(torch.tensor(SAME * 0.04))
    torch.testing.assert_close(grey[middle], most, rtol=1e-4, atol=0)

    # Sensors have as much grey as that, and what they have stays.
    quiet = variance(0.04, grey=0.02)
    quiet[1:, order >= 0.5] = 1e-8
    torch.testing.assert_close(bounded(quiet)[0].sqrt()[middle], torch.full_like(most, 0.02))


def test_colours_that_a_camera_has_cleaned_bound_nothing():
    cleaned = variance(2 / 255, grey=0.03)
    assert colour_level(cleaned) == pytest.approx(2 / 255)
    torch.testing.assert_close(bounded(cleaned)[0], cleaned[0])

    # In between a part, by the logarithm: at the geometric mean of both ends, a half.
    between = variance((3 * 9) ** 0.5 / 255, grey=0.06)
    between[1:, orders() >= 0.125] *= 0.01
    q, at = (3 * 9) ** 0.5 / 255, 24  # max(u, v) = 3 / 4
    expected = (0.06 * (1.35 - 0.9 * 0.75) * q) ** 0.5
    assert float(bounded(between, q=q)[0, at, at].sqrt()) == pytest.approx(expected, rel=1e-4)


def test_colours_that_a_codec_took_bound_grey_less():
    """As JPEG 75 leaves them, colours above a quarter of the highest frequency are gone."""
    plain = variance(0.06, 0.2)
    eaten = plain.clone()
    eaten[1:, orders() >= 0.25] = 0.006**2
    most = [held_to_colours(v, colour_level(v))[LOWEST].mean().sqrt() for v in (plain, eaten)]
    assert 1.2 * most[0] < most[1] <= 1.5 * most[0]


def test_grain_is_white_and_of_one_direction():
    grain = variance(0.005, 0.1)
    grain[1:, LOWEST | NEXT] = 0.08**2  # the scene's own colours
    assert is_grain(grain, 1.0)

    # Not so a sensor's noise, nor texture: it falls, and is uneven.
    texture = grain.clone()
    texture[0, orders() >= 0.75] /= 2
    assert not is_grain(variance(0.05, 0.1), 1.0)
    assert not is_grain(texture, 1.0) and not is_grain(grain, 0.6)


def test_loud_grey_that_is_as_loud_at_all_upper_frequencies_is_noise():
    """Whatever a codec has left of the colours."""
    loud = variance(0.01, 0.12)
    assert is_loud(loud, 0.3) and not is_loud(loud / 9, 0.3) and is_loud(loud / 9, 0.9)
    falling = loud.clone()
    falling[0, orders() >= 0.875] /= 2
    assert not is_loud(falling, 1.0)

    y = data.coffee()[:128, 100:228] + 30 * np.random.default_rng(0).standard_normal((128, 128, 3))
    stream = io.BytesIO()
    Image.fromarray(y.clip(0, 255).round().astype(np.uint8)).save(stream, "JPEG", quality=90)
    pixels = torch.from_numpy(np.array(Image.open(stream))).permute(2, 0, 1)[None] / 255
    tones = estimate(pixels).spectrum[0, orders() >= 0.5].square().mean().sqrt()
    luma = 30 / 255 * (0.299**2 + 0.587**2 + 0.114**2) ** 0.5 * 3**0.5  # in grey's direction
    assert float(tones) == pytest.approx(luma, rel=0.2)


def test_smooth_places_tell_the_direction_of_noise():
    """Edges of other colours, and of a mask, do not."""
    y = torch.full((1, 3, 128, 128), 0.5)
    y[:, 0, :, ::16], y[:, :, 60:62] = 0.9, 0.0
    tone = torch.tensor([1.08, 0.93, 0.74])
    noise = torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    noise[..., 8:32, 8:32] *= 1.5
    y = (y + 0.05 * tone.view(1, 3, 1, 1) * noise).clamp(0, 1)
    found = directions(y)
    assert float(found[0] @ tone / tone.norm()) > 0.999
    torch.testing.assert_close(found @ found.T, torch.eye(3), atol=1e-4, rtol=0)
