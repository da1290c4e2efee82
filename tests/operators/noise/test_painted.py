"""What has no noise in a noisy photo, and what has none because the photo has none."""

import torch
from skimage import data

from operators.noise.painted import painted, rest

RANDOM = torch.Generator().manual_seed(0)


def levels(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels rounded to 8 bits."""
    return (255 * pixels.clamp(0, 1)).round() / 255


def bordered(noise: float) -> torch.Tensor:
    """A photo [1, 3, 128, 160] with noise and a border of one colour below, 30 pixels high."""
    pixels = torch.from_numpy(data.chelsea()).permute(2, 0, 1)[None, :, 60:188, 120:280] / 255
    y = levels(pixels + noise * torch.randn(pixels.shape, generator=RANDOM))
    y[..., 98:, :] = torch.tensor([204, 77, 51]).view(3, 1, 1) / 255
    return y


def test_a_border_of_a_noisy_photo_to_the_pixel():
    found = painted(bordered(0.05))
    assert found is not None
    assert bool(found[..., 98:, :].all()) and not bool(found[..., :98, :].any())


def test_a_photo_without_a_border_has_none():
    assert painted(bordered(0.05)[..., :96, :]) is None


def test_flat_places_of_a_photo_without_noise_are_its_own():
    """A gradient that 8 bits make steps of beside a flat sky."""
    y = levels(torch.linspace(0.2, 0.7, 128).view(1, 1, 1, -1).repeat(1, 3, 128, 1))
    y[..., :48, :] = 0.6
    assert painted(y) is None


def test_the_rest_of_it_is_its_largest_rectangle():
    mask = torch.zeros(1, 1, 128, 160, dtype=torch.bool)
    mask[..., 98:, :] = True
    assert rest(mask) == (slice(0, 96), slice(0, 160))
    mask[..., :20, :], mask[..., :, 150:] = True, True
    assert rest(mask) == (slice(32, 96), slice(0, 144))
