"""Compositions: a true pseudo-inverse, and what cannot be composed."""

import pytest
import torch

from operators.compose import Compose
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
