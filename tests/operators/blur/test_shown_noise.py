"""What a known blur takes away shows the noise, and kernels that are wrong."""

import pytest
import torch

from gdp.prior.noise import Noise
from gdp.restore.noise.model import OPPONENT
from operators.blur.blind.blind_blur import BlindBlur
from operators.blur.kernels import gaussian
from operators.blur.known import blur
from operators.blur.soft import SoftBlur
from operators.identity import Identity
from operators.size.avgpool import AvgPool
from tests.operators.blur.photos import KERNELS, photo


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("sigma", [0.004, 0.02, 0.1])
def test_the_noise_is_found_whatever_the_photo_shows(name, sigma):
    A = blur(KERNELS[name], "auto")
    y = A(photo()) + sigma * Noise([0]).like(photo())
    found = A.shown_noise(y, OPPONENT)
    assert found is not None and found.shape == (3,)
    assert (found > 0.8 * sigma).all() and (
        found < 1.35 * sigma + 0.012
    ).all()  # and what the blur leaves


def test_noise_that_channels_share_is_found_in_grey_alone():
    A = blur(KERNELS["motion"])
    y = A(photo()) + 0.04 * Noise([0]).like(photo()[:, :1])
    found = A.shown_noise(y, OPPONENT)
    assert found[0] == pytest.approx(0.04 * 3**0.5, rel=0.2) and (found[1:] < 0.01).all()


def test_a_kernel_that_is_too_wide_counts_as_noise():
    y = blur(gaussian(17, 2.0))(photo()) + 0.002 * Noise([0]).like(photo())
    right, wide = (blur(gaussian(21, s)).shown_noise(y, OPPONENT) for s in (2.0, 2.5))
    assert wide[0] > 2 * right[0]


def test_a_blur_that_leaves_something_everywhere_tells_nothing():
    assert blur(gaussian(5, 0.4)).shown_noise(photo(), OPPONENT) is None


def test_large_photos_are_sampled():
    A = blur(KERNELS["disk"])
    y = 0.01 * Noise([0]).like(torch.zeros(1, 3, 2200, 70))
    assert A.shown_noise(y, OPPONENT)[0] == pytest.approx(0.01, rel=0.1)


def test_what_is_no_known_blur_tells_nothing():
    y = photo(32)
    for A in (Identity(), AvgPool(2), BlindBlur(9), SoftBlur(2.0)):
        assert A.shown_noise(y, OPPONENT) is None


def test_kernels_wider_than_a_photo_and_flat_photos():
    wide = blur(gaussian(61, 12.0))
    assert wide.shown_noise(photo(48), OPPONENT) is None
    found = wide.shown_noise(photo(96), OPPONENT)
    assert found is not None and found.isfinite().all()
    assert (blur(KERNELS["disk"]).shown_noise(torch.zeros(1, 3, 64, 64), OPPONENT) == 0).all()
