"""The closed form of a blur and every r-th place, against the same by matrices."""

import pytest
import torch

from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from operators.size.folded import Folded, folding
from operators.size.soft_down import SoftDown
from operators.size.spread import Spread

POINT = Spread(1e-3)


@pytest.mark.parametrize("down", [AvgPool, Bicubic])
@pytest.mark.parametrize("r", [1, 2, 3, 4])
def test_a_point_leaves_the_shrinking_alone(down, r):
    x = torch.randn(2, 3, 6 * r, 5 * r, dtype=torch.float64)
    torch.testing.assert_close(SoftDown(down(r), POINT)(x), down(r)(x), atol=1e-4, rtol=0)


@pytest.mark.parametrize("r", [2, 3])
def test_adjoint_inverse_and_spectrum(r):
    A = SoftDown(Bicubic(r), Spread(0.6, 0.5))
    x = torch.randn(1, 2, 4 * r, 7 * r, dtype=torch.float64)
    y = torch.randn_like(A(x))
    torch.testing.assert_close((A(x) * y).sum(), (x * A.adjoint(y)).sum())
    torch.testing.assert_close(A(A.pinv(y)), y)
    torch.testing.assert_close(A.spectral(x, torch.ones_like), x)
    torch.testing.assert_close(A.spectral(x, torch.square), A.adjoint(A(x)))

    # No x of A^+ y is of no use: the least of all that agree.
    null = x - A.pinv(A(x))
    torch.testing.assert_close((null * A.pinv(y)).sum(), torch.zeros((), dtype=x.dtype))


def test_what_is_too_weak_is_left_out():
    A = SoftDown(AvgPool(2), Spread(3.0))
    x = torch.randn(1, 1, 32, 32, dtype=torch.float64)
    assert A.pinv(A(x)).abs().max() < 100
    torch.testing.assert_close(A(A.pinv(A(x))), A(x))


@pytest.mark.parametrize("r", [1, 2, 5])
def test_every_frequency_falls_somewhere_once(r):
    index, weight = folding(4 * r, r)
    assert sorted(index.tolist()) == list(range(4 * r))
    assert index[:4].tolist() == [0, 1, 2, 3] and weight[0] == pytest.approx(r**-0.5)


def test_brightness_stays():
    y = SoftDown(AvgPool(4), Spread(0.8, 1.0))(torch.full((1, 3, 16, 24), 0.3))
    torch.testing.assert_close(y, torch.full((1, 3, 4, 6), 0.3))


def test_a_blur_has_to_be_written():
    with pytest.raises(TypeError, match="Folded defines no transfer"):
        Folded(2)(torch.zeros(1, 3, 4, 4))
