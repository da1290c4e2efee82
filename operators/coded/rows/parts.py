"""One part of a row: what it is, what it makes of noise, and how it is undone by itself."""

from collections.abc import Sequence
from typing import TypeGuard

import torch
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator, ProjectionOperator
from operators.coded.jpeg import JPEG
from operators.coded.quantise import Quantise
from operators.tools.solve import cg

AGREES = 1e-5  # [-1, 1] units, below which two values are one
LEAST_RHO = 4e-4  # where y has no noise, and not all of it says something


def can_be_undone(op: Operator) -> bool:
    """Whether a part has a proximal map, or a linear part that has one, and is known."""
    if op.blind:
        return False
    exact = op.offers("prox") and op.offers("project")
    return exact or isinstance(op, LinearOperator | AffineOperator)


def linear_of(op: Operator) -> LinearOperator | None:
    """A linear or an affine operator's linear part; None of any other."""
    op = op.linear() if isinstance(op, AffineOperator) else op
    return op if isinstance(op, LinearOperator) else None


def rounds(op: Operator) -> TypeGuard[JPEG | Quantise]:
    """Whether an operator rounds, so that what it does is noise of a std that y tells."""
    return isinstance(op, JPEG | Quantise)


def less_dark(op: Operator, y: Tensor) -> Tensor:
    """y without A(0) of an affine operator, and as it is of any other."""
    return y - op.offset(y) if isinstance(op, AffineOperator) else y


def strength(op: Operator, z: Tensor) -> float:
    """The std that an operator gives to white noise of std 1 in z [B, C, H, W]."""
    linear = linear_of(op)
    if linear is not None:
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).to(z)
        return float((linear(noise).abs().square().mean() / noise.square().mean()).sqrt())
    return float(slopes_of(op, z).square().mean().sqrt())


def slopes_of(op: Operator, z: Tensor) -> Tensor:
    """The slopes [n] of a curve at the values z that it does not lose; 1 where it rounds."""
    if rounds(op) or linear_of(op) is not None:
        return z.new_ones(1)
    with torch.enable_grad():
        point = z.detach().requires_grad_()
        slopes = torch.autograd.grad(op(point).sum(), point)[0].abs()
    slopes = slopes[slopes > 0]
    return slopes if len(slopes) else z.new_ones(1)


def gains(ops: Sequence[Operator], pictures: Sequence[Tensor]) -> list[float]:
    """g_0 ... g_k: the std at the end of white noise of std 1 that comes after each operator.

    Args:
        ops: k of them, the first on the picture.
        pictures: what each sees.
    """
    found = [1.0]
    for op, z in zip(reversed(ops), reversed(pictures), strict=True):
        found.insert(0, found[0] * strength(op, z))
    return found


def undo(op: Operator, z: Tensor, u: Tensor, rho: float) -> Tensor:
    """argmin_x ||A(x) - u||^2 + rho ||x - z||^2 of one part, whose noise is all that u has."""
    linear = linear_of(op)
    if linear is not None:
        return linear_undone(linear, z, less_dark(op, u), rho)
    if rho == 0:
        return op.project(z, u)
    if not isinstance(op, JPEG):
        return op.prox(z, u, rho)

    # What a JPEG rounds is a part of the noise, and is not white.
    further = max(0.0, op.sigma_y**2 - op.error(u) ** 2) ** 0.5
    W = op.block_whitening(op.sigma_y, torch.tensor(further)).to(u.device)
    return z + W.filter(u - z, lambda d: d**2 / (d**2 + rho))


def linear_undone(A: LinearOperator, z: Tensor, u: Tensor, rho: float) -> Tensor:
    """argmin_x ||m (A x - u)||^2 + rho ||x - z||^2, m = 0 where A z is u already.

    There what follows A was content with A z, as a clipped value is with all that is brighter.
    """
    off = u - A(z)
    said = (off.abs() > AGREES).to(off)
    apart = isinstance(A, ProjectionOperator) and A.onto
    if apart or said.all():
        return A.prox(z, u, rho) if rho > 0 else z + A.pinv(off)

    b, rho = A.adjoint(said * off), max(rho, LEAST_RHO)
    return z + cg(lambda d: A.adjoint(said * A(d)) + rho * d, b, A.prox_iterations)
