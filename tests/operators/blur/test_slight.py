"""Softness too slight to be told apart from a sharp photo's own."""

import pytest
import torch

from operators.blur.diagonal import ReflectBlur
from operators.blur.kernels import gaussian
from operators.blur.slight import CRISP, HALF, HARDLY, SAFE, SOFT, chance, slight_gain
from operators.blur.soft import SoftBlur
from operators.blur.softness import edge_width
from operators.tools.transforms import dct2
from operators.unchanged import Unchanged
from tests.operators.blur.photos import photo


def small(step=3):
    """A photo as sharp as shrunk ones are."""
    return photo(192)[..., ::step, ::step]


def half(x):
    """x, blurred by half a pixel."""
    return ReflectBlur(gaussian(5, HALF))(x)


def test_the_chance_grows_with_the_width_of_edges():
    chances = [chance(w) for w in (0.3, CRISP, (CRISP + SOFT) / 2, SOFT, 0.9)]
    assert chances == sorted(chances)
    assert chances[0] < HARDLY and chances[-1] > 0.99
    assert chances[2] == pytest.approx(2 / 3)  # what it was before


def test_what_may_be_soft_is_sharpened_by_some_of_it():
    x = small()
    A = SoftBlur().for_photo(x, 0.002)
    whole = SoftBlur(HALF).for_photo(x, 0.002)
    assert isinstance(A, SoftBlur) and A.describe(x)["largest_gain"] > 1
    assert A.describe(x)["largest_gain"] < whole.describe(x)["largest_gain"]
    assert 0 < A.found < HALF and A.sigma == HALF

    # A sharp photo is not moved far by it, one that is soft comes nearer to the truth.
    assert (A.pinv(x) - x).square().mean().sqrt() < 1.05 * SAFE
    assert A.moves == SAFE
    y = half(x)
    B = SoftBlur().for_photo(y, 0.002)
    assert (B.pinv(y) - x).square().mean() < 0.5 * (y - x).square().mean()


def test_the_bound_holds_for_texture_and_goes_where_edges_are_wide():
    y = 0.5 * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    K = ReflectBlur(gaussian(5, HALF)).spectrum(y)

    def moved(found):
        return float(((slight_gain(y, K, 0.8, found) - 1) * dct2(y)).square().mean().sqrt())

    assert moved(0.0) == pytest.approx(SAFE, rel=1e-4)
    assert moved(0.2) == moved(0.0) < moved(0.45) < moved(0.5)
    assert torch.allclose(slight_gain(y, K, 0.8, 0.5), 1 + 0.8 * (1 / K - 1))


def test_a_photo_that_is_too_noisy_is_not_sharpened():
    x = half(small(1))
    assert edge_width(x) > SOFT
    assert isinstance(SoftBlur(clear=1e9).for_photo(x, 0.002), Unchanged)
