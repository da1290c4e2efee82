"""Compositions: a true pseudo-inverse, and what cannot be composed."""

import pytest
import torch

from operators.compose import Compose
from operators.identity import NoiseHere
from operators.missing.gray import Gray
from operators.missing.mask import RandomMask
from operators.size.avgpool import AvgPool


def test_composition_has_a_true_pseudo_inverse():
    A = Compose([RandomMask(0.2), Gray(), AvgPool(2)])
    y = A(torch.randn(1, 3, 16, 16, dtype=torch.float64))
    assert (A(A.pinv(y)) - y).norm() <= 1e-4 * y.norm()
    assert A.divisor == 2
    with pytest.raises(TypeError, match="linear"):
        Compose([torch.nn.Identity()])


def add_one(y):
    return y + 1


def test_noise_joins_in_where_it_is_named():
    """Block means of 2 x 2 pixels halve what joins in before them."""
    x = torch.zeros(1, 3, 64, 64)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    A = Compose([Gray(), NoiseHere(), AvgPool(2)])
    y, B = A.degrade(x, lambda y: y + noise[:, :1])
    assert y.shape == (1, 1, 32, 32) and y.std() == pytest.approx(0.5, rel=0.05)
    assert B.noise_gain == pytest.approx(0.5, rel=0.05)

    # At the end, marked or not, as it is.
    for ops in ([AvgPool(2)], [AvgPool(2), NoiseHere()]):
        y, B = Compose(ops).degrade(x, add_one)
        assert (y == 1).all() and B.noise_gain == pytest.approx(1, rel=0.05)
    with pytest.raises(ValueError, match="noise twice"):
        Compose([NoiseHere(), AvgPool(2), NoiseHere()])


def test_closed_forms_stay_with_noise_in_between():
    A = Compose([AvgPool(2), NoiseHere(), Gray()])
    x = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    assert torch.allclose(A.pinv(A(x)), Compose([AvgPool(2), Gray()]).pinv(A(x)))
    assert A.s == pytest.approx(0.5 / 3**0.5)
