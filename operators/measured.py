"""A measurement of any shape and type as samplers know y: real numbers, of the size of pixels.

    W(z) = R(A(P z)) / c

    P   from the state that samplers work on to x: the mean of channels that stand for one
        (grey: all three), the identity where x has three channels or more
    R   [B, ...], complex or not, as real numbers [B, 1, 1, n]
    c   the largest singular value of A, by power iteration: y's scale is that of a picture then

A is asked for what it has in closed form where that carries over; the rest is by conjugate
gradients on real numbers, so that x stays real where A is complex.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator, SpectralOperator
from operators.gain import gain, spreads
from operators.tools.solve import cg

CLOSE = 1e-2  # residual of the proximal map: a correction is better corrected at the next step
GROUPS = {1: (0, 0, 0), 2: (0, 1, 1)}  # channel of x that each channel of the state stands for


class Measured(Operator):
    """W, of any A.

    Args:
        A: the degradation, with the noise of `given`.
        given: a measurement [B, ...] of it, for its shape and type.
        scale: c.

    Attributes:
        A: the degradation, in its own units.
        channels: those of x.
        groups: the channel of x that each of the state stands for; None where they are the same.
    """

    A: Operator
    any_size = False
    measured = True

    def __init__(self, A: Operator, given: Tensor, scale: float):
        super().__init__()
        self.A, self.scale, self.unit = A, scale, A.unit * scale
        self.shape, self.complex = tuple(given.shape[1:]), given.is_complex()
        self.size = tuple(A.x_shape(given)[1:])
        self.channels = self.size[0]
        self.groups = GROUPS.get(self.channels)
        self.divisor, self.spreads, self.pace = A.divisor, A.spreads, A.pace
        self.sigma_y = A.sigma_y / scale

    # --- between A's world and the samplers'

    def flat(self, given: Tensor) -> Tensor:
        """A measurement [B, ...] as samplers know it: [B, 1, 1, n], in units of c."""
        real = torch.view_as_real(given.resolve_conj()) if given.is_complex() else given
        return real.float().reshape(len(given), 1, 1, -1) / self.scale

    def given(self, y: Tensor) -> Tensor:
        """The measurement [B, ...] that `flat` has made y of."""
        tail = (*self.shape, 2) if self.complex else self.shape
        real = (y * self.scale).reshape(len(y), *tail)
        return torch.view_as_complex(real.contiguous()) if self.complex else real

    def picture(self, z: Tensor) -> Tensor:
        """P z: x [B, channels, H, W] of a state [B, C, H, W]."""
        if self.groups is None:
            return z
        places = [[k for k, g in enumerate(self.groups) if g == c] for c in range(self.channels)]
        return torch.cat([z[:, place].mean(1, keepdim=True) for place in places], 1)

    def state(self, x: Tensor) -> Tensor:
        """P^+ x: the state in which channels that stand for one are alike."""
        return x if self.groups is None else x[:, list(self.groups)]

    def back(self, x: Tensor) -> Tensor:
        """P^T x."""
        if self.groups is None:
            return x
        counts = torch.tensor([self.groups.count(g) for g in self.groups]).to(x)
        return self.state(x) / counts[:, None, None]

    # --- what an operator is

    def forward(self, z: Tensor) -> Tensor:
        return self.flat(self.A(self.picture(z)))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (len(y), max(3, self.channels), *self.size[1:])

    @property
    def blind(self) -> bool:
        return self.A.blind

    def bind(self, y: Tensor, init: Operator | None = None) -> Operator:
        first = init.A if isinstance(init, Measured) else init
        bound = copy.copy(self)
        bound._modules = {"A": self.A.bind(self.given(y), first)}
        return bound

    def fit(self, x0: Tensor, y: Tensor, sigma: float) -> None:
        self.A.fit(self.picture(x0), self.given(y), sigma)

    def describe(self, y: Tensor) -> dict[str, Any]:
        return self.A.describe(self.given(y))

    def remark(self, y: Tensor) -> str:
        return self.A.remark(self.given(y))

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        return self.A.pictures(self.given(y))


class MeasuredLinear(Measured, LinearOperator):
    """W of a linear A."""

    A: LinearOperator

    def __init__(self, A: LinearOperator, given: Tensor, scale: float):
        super().__init__(A, given, scale)
        self.iterations, self.prox_iterations = A.iterations, A.prox_iterations

    def closed(self, method: str) -> bool:
        """Whether A has a closed form that carries over: of real y, and of P with one norm."""
        own = getattr(type(self.A), method) is not getattr(LinearOperator, method)
        return own and not self.complex and self.channels != 2

    @property
    def alike(self) -> int:
        """How many channels of the state are one of x; P P^T = I / alike."""
        return 1 if self.groups is None else len(self.groups)

    def adjoint(self, y: Tensor) -> Tensor:
        if type(self.A).adjoint is LinearOperator.adjoint:
            return super().adjoint(y)
        x = self.A.adjoint(self.given(y) / self.scale**2)
        return self.back(x.real if x.is_complex() else x)

    def pinv(self, y: Tensor) -> Tensor:
        if self.closed("pinv"):
            return self.state(self.A.pinv(self.given(y)))
        # By A^T y, which lies in the range of A^T A also where noise has put y outside of A's
        return cg(lambda x: self.adjoint(self(x)), self.adjoint(y), max_iter=self.iterations)

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        if not self.closed("prox"):
            b = self.adjoint(y - self(v))
            return v + cg(lambda d: self.adjoint(self(d)) + rho * d, b, self.prox_iterations, CLOSE)

        # ||A m - y||^2 / c^2 + rho alike ||m - P v||^2, over the mean m alone
        mean = self.picture(v)
        m = self.A.prox(mean, self.given(y), rho * self.alike * self.scale**2)
        return v + self.state(m - mean)


class MeasuredSpectral(MeasuredLinear, SpectralOperator):
    """W of an A whose singular values are known, and whose y is real."""

    A: SpectralOperator

    def pinv(self, y: Tensor) -> Tensor:
        return self.state(self.A.pinv(self.given(y)))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return SpectralOperator.prox(self, v, y, rho)

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        gain = self.scale * self.alike**0.5
        mean = self.picture(x)
        seen = self.state(self.A.spectral(mean, lambda s: f(s / gain)))
        if self.groups is None:
            return seen
        return seen + f(torch.zeros((), dtype=x.dtype)).to(x) * (x - self.state(mean))


class MeasuredAffine(Measured, AffineOperator):
    """W of an affine A."""

    A: AffineOperator

    def linear_part(self) -> LinearOperator:
        given = torch.zeros(1, *self.shape, dtype=torch.cfloat if self.complex else None)
        linear = wrap(self.A.linear(), given, self.scale)
        linear.spreads = self.spreads
        assert isinstance(linear, LinearOperator)
        return linear


def wrap(A: Operator, given: Tensor, scale: float) -> Measured:
    """W, of A's tier as far as that carries over."""
    if isinstance(A, AffineOperator):
        return MeasuredAffine(A, given, scale)
    if not isinstance(A, LinearOperator):
        return Measured(A, given, scale)
    real = not given.is_complex() and A.x_shape(given)[1] != 2
    if isinstance(A, SpectralOperator) and real:
        return MeasuredSpectral(A, given, scale)
    return MeasuredLinear(A, given, scale)


def measured(A: Operator, given: Tensor) -> tuple[Measured, Tensor]:
    """A and a measurement of it as samplers know them.

    Args:
        A: the degradation, with the noise of `given`; not bound.
        given: [B, ...], real or complex, in A's own units.

    Returns:
        W, and y [B, 1, 1, n] in its units.
    """
    view = wrap(A, given, gain(A, given))
    view.spreads = A.spreads or spreads(A, given)
    return view, view.flat(given)
