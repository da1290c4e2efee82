"""Few grey levels: projection, and gradients through rounding."""

import pytest
import torch

from operators.coded.jpeg import JPEG
from operators.coded.quantise import Quantise
from tests.operators.pictures import pixels


def test_rounding_passes_gradients_straight_through():
    x, v = (
        pixels(1, 3, 16, 24, dtype=torch.float64).requires_grad_(),
        torch.randn(1, 3, 16, 24, dtype=torch.float64),
    )
    for operator in (Quantise(), JPEG(10, subsampling=0)):
        torch.testing.assert_close(torch.autograd.grad(operator(x), x, v)[0], v)


@pytest.mark.parametrize("make", [lambda: Quantise(1), lambda: Quantise(3), lambda: Quantise(12)])
def test_quantise_projects(make):
    A, x, y = make(), 2 * torch.randn(2, 3, 31, 41), make()(torch.randn(2, 3, 31, 41))
    p = A.project(x, y)
    torch.testing.assert_close(A(p), y)
    torch.testing.assert_close(A.project(p, y), p)
    assert len(A(x).unique()) <= A.top + 1
    inside = A(x) == y
    torch.testing.assert_close(p[inside], x[inside], atol=0.02 / A.top, rtol=0)
    torch.testing.assert_close(A.project(y, y), y)


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Quantise(0), "bit depth"),
        (lambda: Quantise(2.5), "bit depth"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
