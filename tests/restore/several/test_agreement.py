"""What a result lacks of y, beyond y's noise, is put back; what it lacks of noise is not."""

import pytest
import torch

import gdp
from gdp.picture import to_image
from gdp.prior.noise import Noise
from gdp.restore.several.agreement import regained
from operators.blur.diagonal import ReflectBlur
from operators.blur.kernels import gaussian
from operators.blur.soft import SoftBlur
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from tests.photos import astronaut

FINE = 0.02  # std of what a result lacks, [-1, 1] units


def blur(own_noise: float | None) -> SoftBlur:
    same = SoftBlur(1.0)
    same.own_noise = own_noise
    return same


def lacking(A: SoftBlur) -> tuple[torch.Tensor, torch.Tensor]:
    """A result [1, 3, 64, 64] in [0, 1], and y, which has something fine that it lacks."""
    x = 0.8 * astronaut(64)
    return to_image(x), A(x) + FINE * Noise([3]).like(x)


def test_what_is_no_noise_comes_back_and_noise_does_not():
    pixels, y = lacking(blur(None))
    assert torch.equal(regained(pixels, blur(None), y), pixels)
    assert torch.equal(regained(pixels, Identity().with_noise(0.1), y), pixels)

    # All of it, a share of it, none.
    all_of_it = regained(pixels, blur(0.0), y) - pixels
    assert all_of_it.std() == pytest.approx(FINE / 2, rel=0.02)
    share = 1 - 0.6**2
    torch.testing.assert_close(
        regained(pixels, blur(0.6 * FINE), y) - pixels, share * all_of_it, rtol=0.05, atol=1e-4
    )
    assert torch.equal(regained(pixels, blur(2 * FINE), y), pixels)


def test_what_a_codec_broke_does_not_come_back():
    A = blur(0.0)
    pixels, y = lacking(A)
    for error, changes in ((0.001, True), (2 * FINE, False)):
        file = Compressed(A, JPEG(90), error, torch.tensor(0.0))
        assert torch.equal(regained(pixels, file, y), pixels) is not changes


def test_each_result_gets_its_own_back():
    A = blur(0.0)
    pixels, y = lacking(A)
    both = regained(torch.cat([pixels, to_image(y)]), A, y)
    torch.testing.assert_close(both[:1], regained(pixels, A, y))
    torch.testing.assert_close(both[1:], regained(to_image(y), A, y))


def test_a_clean_soft_photo_keeps_its_texture():
    """What a blur may be wrong by was counted as noise, and fine texture went with it."""
    scene = to_image(astronaut(128))
    y = (255 * ReflectBlur(gaussian(9, 0.6))(scene)).round() / 255
    result = gdp.restore(y[0], task="sharpen", seed=0)
    error = (result.pixels.view_as(y) - scene).square().mean()
    assert error < 0.7 * (y - scene).square().mean()
    assert result.report["consistency"] < 0.004
