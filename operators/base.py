"""What a degradation is: y = A(x) + sigma_y n. Three tiers, each enough for more samplers than the one before."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from operators.tools.solve import cg

ROUNDED = 0.005  # std of y's noise, in model units, that rounding to 8 bits alone stays below


class Operator(nn.Module):
    """A differentiable degradation A; a subclass writes `forward`, and `x_shape` if A changes shape.

    Images are [B, C, H, W] in [-1, 1] and of any size, and so is y; `sigma_y` is the std of its noise in that unit. Buffers are
    what is known of A. Parameters are what is not: they live from `bind` to the end of one restoration.
    """

    sigma_y: float = 0.0
    divisor: int = 1  # H and W of x must be multiples of it
    spreads: bool = False  # whether every pixel of x is seen, more or less, in all of y, or in no part of it more than in others
    pictured: Sequence[str] = ()  # what `pictures` gives
    frame: tuple[int, int, int, int] | None = (
        None  # pixels that x has more than y at the left, right, top and bottom
    )

    @property
    def blind(self) -> bool:
        """Whether `bind` finds something of A, so that the operator before it is not that of y."""
        return type(self).bind is not Operator.bind

    def forward(self, x: Tensor) -> Tensor:
        """A(x), without noise."""
        raise TypeError(
            f"{type(self).__name__} defines no forward(x); an operator is at least that"
        )

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        """Shape of the images that A maps to y."""
        return tuple(y.shape)

    def bind(self, y: Tensor, init: "Operator | None" = None) -> "Operator":
        """The operator for these images; a blind one returns a copy with its own parameters."""
        return self

    def for_file(self, file: Path) -> "Operator":
        """The operator for a photo that is degraded already, where its file tells more than its pixels do."""
        return self

    def observe(self, photo: Tensor) -> Tensor:
        """y, from a photo [B, 3, H, W] that is the degraded picture already."""
        return photo

    def fit(self, x0: Tensor, y: Tensor, sigma: float) -> None:
        """Update the Parameters in place, from the network's x0 [B, C, H, W] of a picture whose noise has std sigma; a blind one writes it.

        The loop calls it after every call of the network, before the sampler corrects x0; no gradients are recorded.
        """

    def known(self, y: Tensor) -> Tensor | None:
        """[1 or B, 1, H, W], true at the pixels of x that A^+ y holds, with whatever noise y has; None where A mixes all of them."""
        return None

    def describe(self, y: Tensor) -> dict[str, Any]:
        """What a report on y should hold beyond the settings, in few words: what was drawn at random, or found."""
        return {}

    def remark(self, y: Tensor) -> str:
        """What a user should know of what was found, such as that there is nothing to mend; empty mostly."""
        return ""

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """What was found of the degradation of the first image, to be saved beside the result: name -> [1, 1 or 3, h, w] in [0, 1]."""
        return {}


class LinearOperator(Operator):
    """Adds A^T (by autograd), A^+ and the proximal map (by CG). Override each where it has a closed form."""

    def adjoint(self, y: Tensor) -> Tensor:
        """A^T y."""
        create = torch.is_grad_enabled() and y.requires_grad
        with torch.enable_grad():
            x = torch.zeros(self.x_shape(y), device=y.device, dtype=y.dtype, requires_grad=True)
            return torch.autograd.grad(self(x), x, y, create_graph=create)[0]

    def pinv(self, y: Tensor) -> Tensor:
        """A^+ y = A^T (A A^T)^+ y."""
        return self.adjoint(cg(lambda u: self(self.adjoint(u)), y))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin_x ||A x - y||^2 + rho ||x - v||^2."""
        return v + cg(
            lambda d: self.adjoint(self(d)) + rho * d, self.adjoint(y - self(v)), max_iter=30
        )


class SpectralOperator(LinearOperator):
    """Adds functions of the singular values s of A = U diag(s) V^T; U and V stay private."""

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        """V f(s) V^T x; f is elementwise and f(0) weighs the null space. f = 1 gives x, f = s^2 gives A^T A x."""
        raise TypeError(
            f"{type(self).__name__} defines no spectral(x, f); derive it from LinearOperator instead"
        )

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return v + self.spectral(self.pinv(y - self(v)), lambda s: s**2 / (s**2 + rho))


class ProjectionOperator(SpectralOperator):
    """A with a single non-zero singular value `s`: masks, block means, grey. `onto`: every y is some A(x), that is A A^T = s^2 I."""

    s: float
    onto: bool = False

    def pinv(self, y: Tensor) -> Tensor:
        return self.adjoint(y) / self.s**2

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        f0, f1 = f(
            torch.tensor([0.0, self.s], dtype=x.dtype)
        )  # on the CPU: a GPU takes them as numbers and is not waited for
        return f0 * x + (f1 - f0) * self.pinv(self(x))


class AffineOperator(Operator):
    """A(x) = L x + A(0): what is linear in [0, 1] pixels is affine in [-1, 1]. Samplers that need a linear operator get L and y - A(0)."""

    def linear(self) -> LinearOperator:
        """L, with y's noise and everything that a linear operator offers."""
        L = self.linear_part()
        L.sigma_y = self.sigma_y
        return L

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
        self.A, self.divisor, self.spreads = A, A.divisor, A.spreads

    def forward(self, x: Tensor) -> Tensor:
        return self.A(x) - self.A(torch.zeros_like(x))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return self.A.x_shape(y)


def check_factor(r: Any) -> int:
    """A whole super-resolution factor of 1 or more."""
    if isinstance(r, bool) or not isinstance(r, int) or r < 1:
        raise ValueError(f"operator.r={r!r}; the factor is a whole number, 1 or more")
    return r


def check_fraction(name: str, value: float, low: float = 0.0, high: float = 1.0) -> float:
    """A number strictly inside (low, high)."""
    if not isinstance(value, int | float) or not math.isfinite(value) or not low < value < high:
        raise ValueError(f"operator.{name}={value!r}; it lies between {low:g} and {high:g}")
    return float(value)


def enlarged(y: Tensor, r: int) -> tuple[int, ...]:
    """y's shape, r times as high and wide."""
    B, C, h, w = y.shape
    return (B, C, h * r, w * r)
