"""The contract of every operator YAML."""

import pytest
import torch

from operators.base import AffineOperator, LinearOperator, ProjectionOperator, SpectralOperator
from operators.light import Light
from tests.conftest import OPERATORS, operator_of
from tests.operators.pictures import dot, image_for

# A^+ is regularised, not exact
ITERATIVE = (
    "blind_blur",
    "blur_motion",
    "blur_anisotropic",
    "blur_shake",
    "blur_varying",
    "deepinv",
)


@pytest.fixture(params=OPERATORS)
def op(request, mask_file):
    made = operator_of(request.param, mask_file)
    made.yaml = request.param
    return made


@pytest.fixture
def linear(op):
    """The operator, or the linear part of an affine one."""
    if isinstance(op, AffineOperator):
        part = op.linear()
        part.yaml = op.yaml
        return part
    if not isinstance(op, LinearOperator):
        pytest.skip(f"{op.yaml} is not linear")
    return op


def test_shapes_and_batch(op):
    x = image_for(op)
    y = op(x)
    assert tuple(op.x_shape(y)) == tuple(x.shape)
    torch.testing.assert_close(op(x[1:]), y[1:])
    assert op.bind(y)(x).shape == y.shape
    assert op.observe(torch.rand(1, 3, 32, 32)).shape[0] == 1


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_adjoint(linear, dtype, tolerance):
    x = image_for(linear, dtype=dtype)
    v = linear(x) + torch.randn_like(linear(x))
    assert linear(x).dtype == dtype
    forward, back = dot(linear(x), v), dot(x, linear.adjoint(v))
    assert abs(forward - back) <= tolerance * abs(forward)
    torch.testing.assert_close(
        linear.adjoint(v), LinearOperator.adjoint(linear, v), rtol=1e-4, atol=1e-5
    )


def test_linearity(linear):
    x, z = image_for(linear), image_for(linear)
    torch.testing.assert_close(linear(2 * x - z), 2 * linear(x) - linear(z), rtol=1e-4, atol=1e-4)


def test_pinv(linear):
    x = image_for(linear)
    y = linear(x)
    tolerance = 4e-2 if linear.yaml in ITERATIVE else 1e-5
    assert (linear(linear.pinv(y)) - y).norm() <= tolerance * y.norm()
    if linear.yaml not in ITERATIVE:
        v = torch.randn_like(y)
        p = linear.pinv(v)
        assert (linear.pinv(linear(p)) - p).norm() <= 1e-4 * p.norm()


def test_spectral(linear):
    if not isinstance(linear, SpectralOperator):
        pytest.skip(f"{linear.yaml} has no closed-form SVD")
    x = image_for(linear, dtype=torch.float64)
    torch.testing.assert_close(linear.spectral(x, torch.ones_like), x)
    torch.testing.assert_close(linear.spectral(x, lambda s: s**2), linear.adjoint(linear(x)))
    if isinstance(linear, ProjectionOperator):
        torch.testing.assert_close(linear(linear.adjoint(linear(x))), linear.s**2 * linear(x))


def test_prox_is_the_minimiser(linear):
    x, rho = image_for(linear, dtype=torch.float64), 0.3
    y, v = linear(x) + 0.1 * torch.randn_like(linear(x)), torch.randn_like(x)
    p = linear.prox(v, y, rho)
    gradient = linear.adjoint(linear(p) - y) + rho * (p - v)
    assert gradient.norm() <= 1e-4 * p.norm()


def test_differentiable(linear):
    x = image_for(linear, 1, torch.float64).requires_grad_()
    (g,) = torch.autograd.grad(linear(x).square().sum() / 2, x)
    torch.testing.assert_close(g, linear.adjoint(linear(x)).detach())


def test_affine_is_linear_plus_its_offset(op):
    if isinstance(op, AffineOperator):
        x = image_for(op)
        y = op(x)
        seen = (
            y < 1 if isinstance(op, Light) else torch.ones_like(y, dtype=torch.bool)
        )  # light is cut at white
        torch.testing.assert_close(
            y[seen], (op.linear()(x) + op.offset(y))[seen], rtol=1e-5, atol=1e-5
        )
