"""Blurs whose kernel is known: they are scipy's, and take the closed form that fits."""

import numpy as np
import pytest
import scipy.ndimage
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.blur import Blur, CircularBlur, ReflectBlur, blur, kernels
from tests.operators.blur.photos import photo


@given(h=st.integers(1, 20), w=st.integers(1, 20), kh=st.integers(1, 4), kw=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_blur_is_scipys(h, w, kh, kw):
    rng = np.random.default_rng(h + 100 * w)
    k = torch.from_numpy(rng.random((2 * kh - 1, 2 * kw - 1)))
    x = torch.from_numpy(rng.standard_normal((1, 2, h, w)))
    for symmetric in (False, True):
        k2 = k + k.flip(0) + k.flip(1) + k.flip(0, 1) if symmetric else k
        normal = kernels.normalise(k2)
        for border, mode in (("reflect", "reflect"), ("circular", "wrap")):
            A = blur(k2, border, threshold=0.0)
            expected = np.stack(
                [
                    scipy.ndimage.convolve(c, normal.double().numpy(), mode=mode)
                    for c in x[0].numpy()
                ]
            )
            np.testing.assert_allclose(A(x)[0].numpy(), expected, atol=1e-6)


def test_blur_picks_the_closed_form():
    g, lopsided = kernels.gaussian(7, 1.5), torch.rand(5, 5)
    assert isinstance(blur(g), ReflectBlur)
    assert isinstance(blur(lopsided, "circular"), CircularBlur)
    assert isinstance(blur(lopsided), Blur)
    with pytest.raises(ValueError, match="border"):
        blur(g, "zero")


@pytest.mark.parametrize(
    "A",
    [blur(kernels.gaussian()), blur(kernels.motion()), blur(torch.rand(5, 5), "circular")],
    ids=repr,
)
def test_blur_keeps_brightness_and_support(A):
    ones = torch.ones(1, 1, 40, 40, dtype=torch.float64)
    torch.testing.assert_close(A(ones), ones, rtol=1e-5, atol=1e-5)
    impulse = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    impulse[..., 20, 20] = 1
    kh, kw = (k // 2 for k in A.kernel.shape)
    inside = A(impulse)[0, 0, 20 - kh : 21 + kh, 20 - kw : 21 + kw]
    torch.testing.assert_close(inside, A.kernel.double(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("border", ["reflect", "replicate", "valid"])
@pytest.mark.parametrize(
    "kernel",
    [kernels.motion(), kernels.anisotropic(), kernels.shake()],
    ids=["motion", "anisotropic", "shake"],
)
def test_regularised_blurs_agree_with_a_photo(kernel, border):
    A = Blur(kernel, border)
    photo = skimage.data.chelsea()[20:148, 100:228]
    y = A(torch.from_numpy(photo / 127.5 - 1).permute(2, 0, 1)[None].float())
    assert A.iterations <= 30 and (A(A.pinv(y)) - y).norm() <= 1e-3 * y.norm()


@pytest.mark.parametrize("border", ["reflect", "replicate"])
def test_a_photo_has_the_border_that_explains_it(border):
    x, k = photo(160), kernels.shake(21, 0.5, 3)
    A = Blur(k, "auto").with_noise(0.04)
    B = A.for_photo(Blur(k, border)(x), 0.04)
    assert B.border == border and B.sigma_y == 0.04
    assert A.for_photo(Blur(k)(x)[..., 12:-12, 12:-12], 0.04).border == "replicate"


def test_a_kernel_is_turned_to_suit_a_photo():
    x, k = photo(160), kernels.shake(21, 0.5, 3)
    y = Blur(k)(x)[..., 12:-12, 12:-12]
    right, wrong = (Blur(q, "auto").for_photo(y, 0.02) for q in (k, k.flip(0, 1)))
    for A in (right, wrong):
        torch.testing.assert_close(A.kernel, k)
    assert not right.findings and "half a turn" in wrong.findings[0]
    small = y[..., :30, :30]  # too little to tell by
    A = Blur(k.flip(0, 1), "auto").for_photo(small, 0.02)
    torch.testing.assert_close(A.kernel, k.flip(0, 1))


def test_what_is_told_or_made_here_is_kept():
    x, k = photo(160), kernels.shake(21, 0.5, 3)
    for border in ("reflect", "replicate", "valid"):
        told = blur(k.flip(0, 1), border)
        assert told.for_photo(Blur(k)(x), 0.04) is told and not told.of_one_photo
    assert blur(k, "auto").of_one_photo and not blur(kernels.gaussian(9, 2.0), "auto").of_one_photo

    # Of a y that we blur ourselves all is known, whatever it looks like
    A = blur(k, "auto")
    y, known = A.degrade(x, lambda y: y + 0.3 * torch.randn(y.shape))
    found = known.for_photo(y.flip(-2, -1), 0.3)
    assert found.border == "reflect" and torch.equal(found.kernel, k)
