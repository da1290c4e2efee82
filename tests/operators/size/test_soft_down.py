"""The kernel of an enlargement, found in the photo: soft ones, sharp ones, sharpened ones."""

import pytest
import torch
import torch.nn.functional as F

import gdp
from operators.blur.diagonal import ReflectBlur
from operators.blur.kernels import gaussian
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from operators.size.soft_down import DOUBT, SHARP, SoftDown, bounded
from operators.size.spread import Spread, find_spread
from tests.photos import astronaut

ROUNDING = 0.0022  # [-1, 1] units


def shrunk(down, spread=None):
    """A sharp photo at half its size, 8 bits, as [-1, 1]."""
    x = astronaut(128)
    y = down(x) if spread is None else SoftDown(down, spread)(x)
    return ((127.5 * y.clamp(-1, 1) + 127.5).round() - 127.5) / 127.5


@pytest.mark.parametrize("down", [AvgPool, Bicubic])
def test_a_sharp_photo_keeps_the_known_kernel(down):
    A = down(2, kernel="auto")
    assert A.of_one_photo and A.for_photo(shrunk(down(2)), ROUNDING) is A


@pytest.mark.parametrize("down", [AvgPool, Bicubic])
@pytest.mark.parametrize("sigma", [0.7, 1.0])
def test_a_soft_one_is_found_to_be_as_soft_as_it_is(down, sigma):
    A = down(2, kernel="auto").for_photo(shrunk(down(2), Spread(sigma)), ROUNDING)
    assert isinstance(A, SoftDown) and A.sigma_y == DOUBT
    assert A.describe(torch.empty(0))["softness"] == pytest.approx(sigma, abs=0.2)


def test_a_sharpened_photo_is_not_taken_for_a_sharp_one():
    found = find_spread(shrunk(AvgPool(2), Spread(0.7, 1.0)), ROUNDING)
    assert found.halo > 0 and found.width > 0.7


def test_found_through_noise():
    y = shrunk(AvgPool(2), Spread(0.9))
    noisy = y + 0.05 * torch.randn_like(y)
    assert 0.6 < find_spread(noisy, 0.05).width < 1.3


def test_nothing_to_see():
    flat = torch.full((1, 3, 64, 64), 0.2)
    noise = 0.1 * torch.randn(1, 3, 64, 64)
    assert find_spread(flat, ROUNDING) is None and find_spread(noise, 0.1) is None
    assert find_spread(torch.rand(1, 3, 12, 90), ROUNDING) is None
    A = Bicubic(2, kernel="auto")
    assert A.for_photo(torch.rand(1, 3, 1, 1), ROUNDING) is A


def clouds(steep: float, seed: int = 1, size: int = 128) -> torch.Tensor:
    """What was never sharp [1, 3, size, size] in [0, 1]: amplitudes fall as f^-steep."""
    f = torch.hypot(torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)).clamp_min(1 / size)
    white = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed))
    z = torch.fft.irfft2(torch.fft.rfft2(white) / f**steep, s=(size, size))
    return (0.5 + 0.18 * (z - z.mean()) / z.std()).clamp(0, 1).expand(1, 3, size, size)


def test_the_spectrum_bounds_what_gradients_say():
    y = shrunk(AvgPool(2), Spread(0.7))
    narrow = bounded(Spread(1.7, 0.8), y, ROUNDING)
    assert 0.5 < narrow.width < 1.0 and 0 < narrow.halo < 0.4

    # What lies below stays as it is, and what noise hides.
    own = (0.8**2 - SHARP**2) ** 0.5
    assert bounded(Spread(0.8, 0.5), y, ROUNDING) == Spread(own, 0.5)
    assert bounded(Spread(0.8, 0.5), torch.randn_like(y), 1.0) == Spread(own, 0.5)
    assert bounded(Spread(0.5), y, ROUNDING).width == 0


@pytest.mark.parametrize("steep, more", [(1.5, 1.0), (2.0, 1.8)])
def test_clouds_get_no_ripples(steep, more):
    """They came out 6 and 33 dB below interpolation; what it may lose are the photo's 8 bits."""
    scene = clouds(steep, size=160)
    y = AvgPool(2)(ReflectBlur(gaussian(9, 1.0))(scene)).mul(255).round() / 255
    result = gdp.restore(y[0], task="sr4", operator={"r": 2, "kernel": "auto"})
    error = (result.pixels.view_as(scene) - scene).square().mean().sqrt()
    smooth = F.interpolate(y, scale_factor=2, mode="bicubic") - scene
    assert error < more * smooth.square().mean().sqrt()
    assert result.report["consistency"] < 0.005  # in the caller's units


def test_known_is_known():
    A = AvgPool(2)
    assert not A.of_one_photo and A.for_photo(shrunk(A, Spread(0.9)), ROUNDING) is A


def test_at_scale_the_scene_is_as_soft():
    A = SoftDown(AvgPool(4), Spread(0.7, 0.5)).with_noise(0.1)
    y = torch.rand(1, 3, 16, 16)
    small, same = A.at_scale(2, y)
    assert small.r == 2 and small.pixel == 2 and same.shape == y.shape and small.sigma_y == 0.1
    smaller, less = A.at_scale(8, y)
    assert smaller.r == 1 and smaller.pixel == 0.5 and less.shape[-1] == 8
    assert smaller.sigma_y == pytest.approx(0.05)


def test_bad_settings():
    with pytest.raises(ValueError, match=r"kernel='own'; it is known, or auto"):
        AvgPool(2, kernel="own")
