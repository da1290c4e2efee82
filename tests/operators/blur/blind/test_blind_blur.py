"""Unknown blurs: the kernel from the blurred photo alone, and what degenerate photos give."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.measures.blind_blur import width
from operators.blur.blind.blind_blur import BlindBlur
from operators.blur.blind.evidence import gradients
from operators.blur.blind.kernel_estimate import edge_window, point_kernel
from operators.blur.blind.search import Stroke
from operators.blur.kernel_shape import likeness
from tests.operators.blur.photos import KERNELS, blurred, photo


def bound_to(y, size=15, sigma=0.01):
    return BlindBlur(size).with_noise(2 * sigma).bind(y)


def test_a_sharp_photo_has_no_kernel():
    y = photo(96)
    A = bound_to(y, 9)
    assert torch.equal(A.kernel, point_kernel(9)[None, None]) and A.sigma_y == pytest.approx(0.02)

    # What noise it has may be texture, and stays.
    assert A.sharp and A.leaves and "no blur was found" in A.remark(y)
    moved = bound_to(blurred(y, KERNELS["motion"]), 15)
    assert not (moved.sharp or moved.leaves)


@pytest.mark.parametrize("name, least", [("gaussian", 0.9), ("motion", 0.75), ("disk", 0.85)])
def test_from_the_blurred_photo_alone(name, least):
    found = bound_to(blurred(photo(96), KERNELS[name]), 15).kernel[0, 0]
    assert likeness(found, KERNELS[name]) > least
    assert abs(width(found) / width(KERNELS[name]) - 1) < 0.4


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([3, 5, 15]),
    st.sampled_from([0.0, 0.02]),
    st.booleans(),
)
def test_any_size_gives_a_kernel(height, width, size, sigma, flat):
    y = (
        torch.full((2, 3, height, width), 0.25)
        if flat
        else torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    )
    A = bound_to(y, size, sigma)
    k = A.kernel
    assert k.shape[:2] == (2, 1) and k.shape[-1] % 2 == 1 and k.shape[-1] <= size
    assert k.isfinite().all() and (k >= 0).all() and math.isfinite(A.sigma_y)
    torch.testing.assert_close(k.sum((1, 2, 3)), torch.ones(2), rtol=0, atol=1e-4)
    assert A(y).isfinite().all() and A(y).shape == y.shape


def test_each_image_has_its_own_kernel():
    x = torch.cat([photo(64), photo(64, top=200)])
    y = torch.cat([blurred(x[:1], KERNELS["gaussian"]), blurred(x[1:], KERNELS["motion"])])
    both, alone = bound_to(y, 15), bound_to(y[1:], 15)
    torch.testing.assert_close(both.kernel[1:], alone.kernel, atol=1e-4, rtol=0)
    assert width(both.kernel[0, 0]) > 1.5 and likeness(
        both.kernel[1, 0], KERNELS["motion"]
    ) > likeness(both.kernel[0, 0], KERNELS["motion"])
    torch.testing.assert_close(both(x)[1:], alone(x[1:]), atol=1e-5, rtol=0)


def test_grey_photos_and_what_is_told():
    y = blurred(photo(64).mean(1, keepdim=True), KERNELS["gaussian"])
    A = bound_to(y, 15)
    assert set(A.describe(y)) == {"kernel_std_along", "kernel_std_across", "kernel_angle"}
    assert A.describe(y)["kernel_std_along"] == pytest.approx(2, abs=0.7)
    (picture,) = A.pictures(y).values()
    assert picture.shape == (1, 1, 15, 15) and picture.max() == 1
    assert BlindBlur(11).describe(y) == {} and BlindBlur(11).pictures(y) == {}


def test_an_earlier_kernel_goes_on():
    y = blurred(photo(64), KERNELS["gaussian"])
    first = BlindBlur(11)
    first.windows, first.kernel = (
        [edge_window(gradients(y))],
        Stroke(3.0, 30.0, 1.0).kernel(11)[None, None],
    )
    second = BlindBlur(11).bind(y, first)
    assert torch.equal(first.kernel, second.kernel) and first.kernel is not second.kernel


def test_a_kernel_of_a_smaller_picture_is_none_of_the_photo_s():
    """A coarse pass has found its own: half as wide, it would sharpen the photo by half."""
    y, A = blurred(photo(128), KERNELS["motion"]), BlindBlur(15).with_noise(0.02)
    small, y2 = A.at_scale(2, y)
    coarse = small.bind(y2)
    found = A.bind(y, coarse).kernel
    assert found.shape != coarse.kernel.shape and torch.equal(found, A.bind(y).kernel)

    # That of another run at the same scale is taken as it is.
    again = small.bind(y2, coarse)
    assert torch.equal(again.kernel, coarse.kernel) and again.kernel is not coarse.kernel


def test_a_blur_wider_than_its_window_is_left_alone():
    y = blurred(photo(96), Stroke(14.0, 20.0, 0.6).kernel(19))
    A = bound_to(y, 9)
    assert A.wide and torch.equal(A.kernel, point_kernel(9)[None, None])
    assert A.leaves and "operator.size=13" in A.remark(y)
    fits = bound_to(blurred(photo(96), KERNELS["motion"]), 15)
    assert not (fits.wide or fits.leaves or fits.remark(y))
    assert BlindBlur(9).bind(y, A).leaves


def test_hardly_any_blur_is_taken_for_softness():
    y = blurred(photo(128), Stroke(0.0, 0.0, 1.0).kernel(9))
    assert 0.6 < width(bound_to(y, 9).kernel[0, 0]) < 1.5


def test_smaller_is_a_smaller_unknown():
    y = blurred(photo(96), KERNELS["gaussian"])
    small, y_small = BlindBlur(15).at_scale(2, y)
    assert small.size == 9 and y_small.shape[-1] == 48 and not small.windows


def test_bad_settings():
    with pytest.raises(ValueError, match="odd"):
        BlindBlur(8)
    with pytest.raises(ValueError, match="border"):
        BlindBlur(7, border="circular")


def test_a_kernel_that_is_to_be_found_is_not_turned():
    A = BlindBlur(5)
    assert A.for_photo(photo(64), 0.02) is A and A.border == "reflect" and A.told
