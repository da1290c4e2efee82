"""Whether a Gaussian has blurred a photo, and what was measured as its noise along with it."""

import pytest
import torch

from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.taking import LOUD, believed
from operators.auto import FromPhoto
from operators.blur.diagonal import ReflectBlur
from operators.blur.fall import Fall, blurred_along, fall_of, surely_blurred
from operators.blur.kernels import gaussian
from operators.blur.soft import CERTAIN, SoftBlur
from operators.blur.softness import clearance, softness
from operators.identity import Identity
from tests.operators.blur.photos import photo

QUIET = 0.002  # std of rounding, [-1, 1] units


def blurred(x, sigma):
    return ReflectBlur(gaussian(2 * round(4 * sigma) + 1, sigma))(x)


def softened(sigma, noise=QUIET):
    y = blurred(photo(192), sigma)
    return y + noise * Noise([0]).like(y)


def model(sigma, std=0.012, sure=0.9):
    """Noise of an rms `std`, [0, 1] units, that a Gaussian of `sigma` pixels has blurred."""
    white = NoiseModel.white(std)
    K = ReflectBlur(gaussian(2 * round(4 * sigma) + 1, sigma)).spectrum(torch.empty(1, 1, 32, 32))
    return NoiseModel(white.spectrum * K, white.curve, white.colours, sure).scaled(std)


@pytest.mark.parametrize("sigma", [1.0, 1.3, 1.5])
def test_width_is_that_of_the_blur(sigma):
    y = softened(sigma)
    fall = fall_of(y, softness(y), QUIET)
    assert fall.width == pytest.approx(sigma, rel=0.25) and surely_blurred(fall, softness(y))
    assert not surely_blurred(fall, 3 * sigma)  # edges say otherwise


def test_narrower_blurs_are_sure_where_more_is_clear():
    narrow = Fall(0.8, 0.05, 0.9)
    assert surely_blurred(narrow, 0.7, clear=40) and not surely_blurred(narrow, 0.7)
    assert not surely_blurred(narrow, 0.7, clear=15) and not surely_blurred(narrow, 0.5, clear=40)
    assert not surely_blurred(Fall(0.8, 0.12, 0.9), 0.7, clear=40)
    assert not surely_blurred(Fall(0.68, 0.05, 0.9), 0.6, clear=40)

    # As in a photo that is softened by less than a pixel.
    y = softened(0.8)
    fall, clear = fall_of(y, softness(y), QUIET), clearance(y, softness(y), QUIET)
    assert surely_blurred(fall, softness(y), clear)
    assert SoftBlur().for_photo(y, QUIET).certain


def test_what_noise_hides_is_not_compared():
    y = softened(1.0)
    clear, noisy = (fall_of(y, 1.0, noise) for noise in (QUIET, 0.05))
    assert noisy.reach < clear.reach
    assert fall_of(y, 1.0, 10.0) == Fall(0.0, 0.0, 0.0)
    assert not surely_blurred(Fall(0.0, 0.0, 0.0), 1.0)


def test_noise_that_came_before_the_blur_falls_as_the_photo():
    y = softened(1.0)
    fall = fall_of(y, softness(y), QUIET)
    assert blurred_along(model(1.0).spectrum[0], fall)
    assert not blurred_along(model(0.6).spectrum[0], fall)
    assert not blurred_along(NoiseModel.white(0.01).spectrum[0], fall)
    assert not blurred_along(model(1.0).spectrum[0], Fall(1.0, 0.0, 0.0))


def test_such_noise_is_left_in_what_is_sharpened():
    soft, sharp = (p[..., :160, :160] / 2 + 0.5 for p in (softened(1.0), photo(480)[..., ::3, ::3]))
    assert believed(soft, FromPhoto(), model(1.0), 0.001)[0].std == 0.001
    loud, after = model(1.0, LOUD), model(0.5)
    assert believed(soft, FromPhoto(), loud, 0.001)[0] is loud
    assert believed(soft, FromPhoto(), after, 0.001)[0] is after
    assert not FromPhoto().blurred_with(2 * sharp - 1, model(1.0).spectrum[0], 0.002)
    assert not Identity().blurred_with(2 * soft - 1, model(1.0).spectrum[0], 0.002)


def test_a_photo_too_noisy_to_sharpen_has_noise():
    pixels = softened(0.55, 0.05) / 2 + 0.5
    few = model(0.5, sure=0.1)
    assert few.doubtful and believed(pixels, FromPhoto(), few, 0.001)[0] is few


def test_a_sure_blur_is_undone_in_a_noisier_photo_and_to_a_greater_share():
    y = softened(1.0)
    found = softness(y)
    limit = clearance(y, found, QUIET) * 2 / (CERTAIN + 1)  # between what is asked for and it all
    A = SoftBlur(share=0.5, clear=limit).for_photo(y, QUIET)
    assert isinstance(A, SoftBlur)
    assert A.sigma == SoftBlur(share=0.8).for_photo(y, QUIET).sigma
    assert SoftBlur(share=0.5, clear=2 * limit).for_photo(y, QUIET).leaves
