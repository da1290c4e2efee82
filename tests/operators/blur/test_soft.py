"""Softness found in a photo, and undone no further than the photo's spectrum bears."""

import pytest
import torch

from gdp.prior.noise import Noise
from operators.blur.diagonal import ReflectBlur
from operators.blur.fall import GAUSSIAN, OTHER, fall_of
from operators.blur.kernels import gaussian
from operators.blur.soft import QUIET, SoftBlur
from operators.blur.softness import (
    MOST,
    clearance,
    noise_floor,
    softness,
    supported_gain,
)
from operators.identity import Identity
from operators.tools.transforms import dct2, idct2
from operators.unchanged import Unchanged
from tests.operators.blur.photos import photo


def softened(sigma, noise=0.002, size=192):
    """A photo that a Gaussian has blurred, with noise of std `noise` in [-1, 1] units."""
    y = ReflectBlur(gaussian(2 * round(4 * sigma) + 1, sigma))(photo(size))
    return y + noise * Noise([0]).like(y)


def sharp():
    """A photo with lines of one pixel, and its edges sharpened."""
    y = photo(192)[..., ::3, ::3]
    return (2 * y - ReflectBlur(gaussian(5, 0.7))(y)).clamp(-1, 1)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5, 2.0])
def test_softness_is_the_blur_that_was_added(sigma):
    assert softness(softened(sigma)) == pytest.approx(sigma, abs=0.25)


def test_flat_and_tiny_photos_have_none():
    assert softness(torch.zeros(1, 3, 40, 40)) == 0
    assert softness(torch.full((1, 3, 1, 1), 0.3)) == 0


def test_what_is_below_the_noise_is_not_amplified():
    y = softened(1.5, 0.02)
    K = ReflectBlur(gaussian(13, 1.5)).spectrum(y)
    gain = supported_gain(y, K, 0.02)
    assert gain.min() == 1 and gain[-20:, -20:].max() == 1 and gain.max() <= MOST
    signal = (dct2(y).square().mean((0, 1)) > 9 * 0.02**2) & (K < 0.7)
    assert gain[signal].mean() > 1.2
    assert torch.equal(supported_gain(y, K, 10.0), torch.ones_like(K))

    # Known by frequency it is the same.
    spectrum = torch.full((1, 3, *K.shape), 0.02)
    torch.testing.assert_close(supported_gain(y, K, spectrum), gain)


def test_noise_is_told_by_the_highest_frequencies():
    quiet, noisy = softened(1.2, 0.0), softened(1.2, 0.03)
    assert noise_floor(quiet, 1.2) < 0.004
    assert noise_floor(noisy, 1.2) == pytest.approx(0.03 / 3**0.5, rel=0.2)
    assert clearance(quiet, 1.2, 0.0) > 3 * clearance(noisy, 1.2, 0.0)
    assert clearance(quiet, 1.2, 0.5) < 1


def test_a_sharp_photo_is_left_as_it_is():
    y = sharp()
    A = SoftBlur().with_noise(0.002).for_photo(y, 0.002)
    assert isinstance(A, Unchanged) and A.leaves and A.sigma_y == 0.002
    assert torch.equal(A(y), y) and "sharp" in A.remark(y)


def test_noise_is_removed_where_that_was_asked_for():
    y = sharp() + 0.05 * Noise([0]).like(sharp())
    A = SoftBlur(denoise=True, clear=6.5).with_noise(5 * QUIET).for_photo(y, 5 * QUIET)
    assert type(A) is Identity and A.sigma_y == 5 * QUIET
    assert SoftBlur(clear=1e9).for_photo(softened(1.5), 0.002).leaves


def test_a_soft_photo_is_sharpened():
    x, y = photo(192), softened(1.0)
    A = SoftBlur(share=0.9).with_noise(0.002).for_photo(y, 0.002)
    assert isinstance(A, SoftBlur) and not A.leaves
    assert A.describe(y)["softness"] == pytest.approx(1.0, abs=0.25)
    assert 1 < A.describe(y)["largest_gain"] <= MOST
    better, before = (float((p - x).square().mean()) for p in (A.prox(y, y, 0.02), y))
    assert better < 0.7 * before

    # A width that is given is believed, and another size has no bounds of its own.
    told = SoftBlur(0.8).for_photo(y, 0.002)
    assert told.describe(y)["softness"] == 0.8
    assert torch.equal(told.spectrum(y[..., :64, :64]), SoftBlur(0.8).spectrum(y[..., :64, :64]))


def smoothed_by_a_camera(size=192):
    """A photo without its upper frequencies, as from a smaller one, and its edges sharpened."""
    c = dct2(photo(size))
    n = torch.arange(size) / size
    radius = torch.hypot(n[:, None], n)
    kept = 1 / (1 + (radius / 0.45) ** 12)
    y = idct2(c * kept * (1 + 0.5 * radius))
    return y + 0.002 * Noise([0]).like(y)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5])
def test_what_no_gaussian_has_blurred(sigma):
    y, lens = softened(sigma), smoothed_by_a_camera()
    assert fall_of(y, softness(y), 0.002).off < 0.8 * GAUSSIAN
    assert softness(lens) > 0.6
    assert fall_of(lens, softness(lens), 0.002).off > 1.2 * GAUSSIAN
    assert fall_of(y, sigma, 10.0).off == 0  # nothing is above the noise

    # Little of it is undone, as far as one may believe in any blur.
    A = SoftBlur().with_noise(0.002).for_photo(lens, 0.002)
    assert A.sigma == OTHER and A.found > OTHER


def test_settings():
    with pytest.raises(ValueError, match=r"operator\.sigma='wide'"):
        SoftBlur("wide")
    with pytest.raises(ValueError, match=r"operator\.share=1\.5"):
        SoftBlur(share=1.5)
