"""Linear maps that act on rows and columns apart, by the SVDs of two small matrices.

y = A_h x A_w^T,   A_i = U_i diag(s_i) V_i^T,   singular values of A: all products s_h s_w
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from operators.base import SpectralOperator


class Factors(NamedTuple):
    """A matrix A [m, n] of one side, its singular values s [k], V [n, k] and A^+ [n, m]."""

    A: Tensor
    s: Tensor
    V: Tensor
    pinv: Tensor


class Separable(SpectralOperator):
    """y = A_h x A_w^T: a subclass writes `matrix(n)`, the map of one row of n pixels.

    Matrices are decomposed in float64, once for a size.

    Attributes:
        threshold: singular values of a side's matrix below it count as zero, in A as in A^+.
    """

    threshold = 1e-6

    def __init__(self) -> None:
        super().__init__()
        self._cache: dict[tuple[int, torch.dtype, torch.device], Factors] = {}

    def matrix(self, n: int) -> Tensor:
        """[m, n], float64: what happens to a row of n pixels."""
        raise TypeError(f"{type(self).__name__} defines no matrix(n); a separable operator is that")

    def factors(self, n: int, like: Tensor) -> Factors:
        """The matrix for n pixels, decomposed, in the type and on the device of `like`."""
        key = (n, like.dtype, like.device)
        if key not in self._cache:
            A = self.matrix(n)
            U, s, Vt = torch.linalg.svd(A, full_matrices=False)

            # What is too weak is left out of A as well, so that A^+ is its own.
            keep = s > self.threshold
            U, s, Vt = U[:, keep], s[keep], Vt[keep]
            A = A if keep.all() else U * s @ Vt

            self._cache[key] = Factors(*(z.to(like) for z in (A, s, Vt.T, Vt.T / s @ U.T)))
        return self._cache[key]

    def both(self, shape: tuple[int, ...], like: Tensor) -> tuple[Factors, Factors]:
        """Factors for the columns and for the rows of an x of this shape."""
        return self.factors(shape[-2], like), self.factors(shape[-1], like)

    def forward(self, x: Tensor) -> Tensor:
        h, w = self.both(x.shape, x)
        return h.A @ x @ w.A.T

    def adjoint(self, y: Tensor) -> Tensor:
        h, w = self.both(self.x_shape(y), y)
        return h.A.T @ y @ w.A

    def pinv(self, y: Tensor) -> Tensor:
        h, w = self.both(self.x_shape(y), y)
        return h.pinv @ y @ w.pinv.T

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        h, w = self.both(x.shape, x)
        f0 = f(torch.zeros((), dtype=x.dtype, device=x.device))
        seen = (f(h.s[:, None] * w.s) - f0) * (h.V.T @ x @ w.V)
        return f0 * x + h.V @ seen @ w.V.T
