"""Tiers of a degradation y = A(x) + sigma_y n, each enough for more samplers than the one before.

Operator             forward(x)                      GDP, DPS
LinearOperator       adjoint, pinv, prox             DDNM, RePaint, DiffPIR
SpectralOperator     spectral(x, f) = V f(s) V^T x   DDRM, DDNM+, PiGDM
ProjectionOperator   one non-zero singular value s   the same, all in closed form
AffineOperator       linear(), offset(y)             those that its linear part is enough for
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from operators.contract import MissingMethodError, Operator
from operators.tools.solve import cg

__all__ = [
    "ROUNDED",
    "AffineOperator",
    "LinearOperator",
    "Linearised",
    "MissingMethodError",
    "Operator",
    "ProjectionOperator",
    "SpectralOperator",
    "check_factor",
    "check_fraction",
]

# The std of y's noise, in units of [-1, 1], that rounding to 8 bits alone stays below.
ROUNDED = 0.005


class LinearOperator(Operator):
    """Adds A^T by autograd, and A^+ and the proximal map by conjugate gradients.

    Override each where it has a closed form.

    Attributes:
        iterations: the most that A^+ takes, each of them A and A^T.
        prox_iterations: the most that the proximal map takes.
    """

    iterations: int = 100
    prox_iterations: int = 30

    def adjoint(self, y: Tensor) -> Tensor:
        """A^T y, of the shape of x."""
        create = torch.is_grad_enabled() and y.requires_grad
        with torch.enable_grad():
            x = torch.zeros(self.x_shape(y), device=y.device, dtype=y.dtype, requires_grad=True)
            return torch.autograd.grad(self(x), x, y, create_graph=create)[0]

    def pinv(self, y: Tensor) -> Tensor:
        """A^+ y = A^T (A A^T)^+ y: of all x for which A x is nearest to y, the smallest."""
        return self.adjoint(cg(lambda u: self(self.adjoint(u)), y, self.iterations))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin_x ||A x - y||^2 + rho ||x - v||^2, for rho > 0."""
        b, most = self.adjoint(y - self(v)), self.prox_iterations
        return v + cg(lambda d: self.adjoint(self(d)) + rho * d, b, most)


class SpectralOperator(LinearOperator):
    """Adds functions of the singular values s of A = U diag(s) V^T; U and V stay private."""

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        """V f(s) V^T x; f = 1 gives x, f = s^2 gives A^T A x.

        Args:
            x: [B, C, H, W].
            f: an elementwise function of s; f(0) weighs the null space.
        """
        raise TypeError(
            f"{type(self).__name__} defines no spectral(x, f); "
            "derive it from LinearOperator instead"
        )

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return v + self.spectral(self.pinv(y - self(v)), lambda s: s**2 / (s**2 + rho))


class ProjectionOperator(SpectralOperator):
    """A with a single non-zero singular value: masks, block means, grey.

    Attributes:
        s: that singular value.
        onto: whether every y is some A(x), that is A A^T = s^2 I.
    """

    s: float
    onto: bool = False

    def pinv(self, y: Tensor) -> Tensor:
        return self.adjoint(y) / self.s**2

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        # On the CPU: a GPU takes the two as numbers and is not waited for.
        f0, f1 = f(torch.tensor([0.0, self.s], dtype=x.dtype))
        return f0 * x + (f1 - f0) * self.pinv(self(x))


class AffineOperator(Operator):
    """A(x) = L x + A(0): what is linear in [0, 1] pixels is affine in [-1, 1].

    Samplers that need a linear operator get L and y - A(0).
    """

    def linear(self) -> LinearOperator:
        """L, with y's noise and everything that a linear operator offers."""
        return self.linear_part().with_noise(self.sigma_y)

    def linear_part(self) -> LinearOperator:
        """L alone: x -> A(x) - A(0), unless overridden by closed forms."""
        return Linearised(self)

    def offset(self, y: Tensor) -> Tensor:
        """A(0), of y's shape."""
        return self(torch.zeros(self.x_shape(y), dtype=y.dtype, device=y.device))


class Linearised(LinearOperator):
    """x -> A(x) - A(0) of an affine A."""

    def __init__(self, A: AffineOperator):
        super().__init__()
        self.A, self.divisor, self.spreads, self.pace = A, A.divisor, A.spreads, A.pace

    def forward(self, x: Tensor) -> Tensor:
        return self.A(x) - self.A(torch.zeros_like(x))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return self.A.x_shape(y)


def check_factor(r: Any) -> int:
    """A whole super-resolution factor of 1 or more; ValueError for anything else."""
    if isinstance(r, bool) or not isinstance(r, int) or r < 1:
        raise ValueError(f"operator.r={r!r}; the factor is a whole number, 1 or more")
    return r


def check_fraction(name: str, value: float, low: float = 0.0, high: float = 1.0) -> float:
    """The value of operator.`name` if it lies strictly inside (low, high); else ValueError."""
    if not isinstance(value, int | float) or not math.isfinite(value) or not low < value < high:
        raise ValueError(f"operator.{name}={value!r}; it lies between {low:g} and {high:g}")
    return float(value)
