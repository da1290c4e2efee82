"""How much an operator amplifies, and what least squares alone makes of a measurement."""

import torch
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator
from operators.tools.solve import cg

POWER_ITERATIONS = 8
EARLY = 10  # iterations of least squares
NEAR, FAR_SHARE, PROBES = 8, 0.05, 3  # pixels; share of energy beyond them; pixels asked


@torch.no_grad()
def least_squares(A: Operator, y: Tensor) -> Tensor:
    """The x that explains y best, by few enough iterations that noise does not grow.

    Grey where A is not linear. What a method without a prior makes of y, for comparison.
    """
    linear = A.linear() if isinstance(A, AffineOperator) else A
    if not isinstance(linear, LinearOperator):
        return torch.zeros(A.x_shape(y)).to(y)
    y = y - A.offset(y) if isinstance(A, AffineOperator) else y
    b = linear.adjoint(y)
    return cg(lambda x: linear.adjoint(linear(x)), b, max_iter=EARLY)


@torch.no_grad()
def gain(A: Operator, given: Tensor) -> float:
    """c: the largest singular value of A; of an A that is not linear, that of its scale."""
    shape = (1, *A.x_shape(given)[1:])
    real = given.real if given.is_complex() else given
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(real)

    def through(v: Tensor) -> Tensor:
        return A(v) - A(torch.zeros_like(v)) if isinstance(A, AffineOperator) else A(v)

    if not isinstance(A, LinearOperator | AffineOperator):
        y = A(0.5 * x) - A(torch.zeros_like(x))
        return max(rms(y) / (0.5 * rms(x)), 1e-12)

    # Power iteration on A^T A, by autograd.
    largest = 0.0
    for _ in range(POWER_ITERATIONS):
        x = x / x.norm().clamp_min(1e-12)
        with torch.enable_grad():
            z = x.clone().requires_grad_()
            y = through(z)
            energy = y.abs().square().sum()
            x = torch.autograd.grad(energy, z)[0] / 2
        largest = max(largest, float(energy.detach()) ** 0.5)
    return largest or 1.0


def rms(x: Tensor) -> float:
    """Root mean square of the absolute values."""
    return float(x.abs().square().mean().sqrt())


@torch.no_grad()
def spreads(A: Operator, given: Tensor) -> bool:
    """Whether a linear A spreads every pixel over much of y: A^T A of one is wide, as with k-space.

    Args:
        A: the degradation.
        given: a measurement [B, ...] of it, for its shape.
    """
    if not isinstance(A, LinearOperator | AffineOperator):
        return False
    shape = (1, *A.x_shape(given)[1:])
    real = given.real if given.is_complex() else given
    random = torch.Generator().manual_seed(0)

    shares = []
    for _ in range(PROBES):
        row, column = (int(torch.randint(n, (), generator=random)) for n in shape[-2:])
        x = real.new_zeros(shape)
        x[..., row, column] = 1
        with torch.enable_grad():
            z = x.requires_grad_()
            dark = A(torch.zeros_like(x)) if isinstance(A, AffineOperator) else 0.0
            energy = (A(z) - dark).abs().square().sum()
            back = torch.autograd.grad(energy, z)[0].square()
        top, left = max(0, row - NEAR), max(0, column - NEAR)
        near = back[..., top : row + NEAR + 1, left : column + NEAR + 1].sum()
        shares.append(1 - float(near) / max(float(back.sum()), 1e-20))
    return sorted(shares)[PROBES // 2] > FAR_SHARE
