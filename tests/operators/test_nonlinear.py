"""Operators that are not linear, or affine: any size, gradients, guidance."""

import pytest
import torch

from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from samplers.gdp_linesearch import GDPLineSearch
from tests.conftest import operator_of
from tests.operators.pictures import pixels

# Rounded with a straight-through gradient, or kinked: no gradcheck
STEPPED = ("jpeg", "quantise", "clip")
SMOOTH = ("gamma", "sensor", "phase", "nonlinear_blur")
AFFINE = ("gains", "haze", "mixing")
EVERY = (*STEPPED, *SMOOTH, *AFFINE)


@pytest.fixture(params=EVERY)
def A(request, mask_file):
    return operator_of(request.param, mask_file)


@pytest.mark.parametrize("size", [(31, 41), (1, 1), (7, 16)])
def test_any_size_and_batch(A, size):
    x = pixels(3, 3, *size)
    y = A(x)
    assert y.isfinite().all() and tuple(A.x_shape(y)) == tuple(x.shape)
    torch.testing.assert_close(A(x[1:2]), y[1:2], atol=1e-5, rtol=1e-5)
    assert A(x.double()).dtype == torch.float64


@pytest.mark.parametrize("name", [*SMOOTH, *AFFINE])
def test_gradients_are_right(name, mask_file):
    x = pixels(1, 3, 7, 5, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(operator_of(name, mask_file), x, fast_mode=True)


def test_gradients_are_finite(A):
    for value in (-1.5, -1.0, 0.0, 1.0, 1.5):
        x = torch.full((1, 3, 9, 11), value, requires_grad=True)
        (g,) = torch.autograd.grad(A(x).square().sum(), x)
        assert g.isfinite().all()


def test_every_one_guides_gdp(A):
    x = pixels(1, 3, 16, 16)
    y = A(x)
    residual = {}
    for scale in (0.0, 1.0):
        restored = GDPLineSearch(scale=scale, schedule=Schedule(steps=8))(
            GaussianPrior(std=0.5), A, y
        ).x
        assert restored.isfinite().all()
        residual[scale] = (A(restored) - y).norm()
    assert residual[1.0] < 0.9 * residual[0.0]
