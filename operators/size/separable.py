"""Linear maps that act on rows and columns apart: y = A_h x A_w^T, with the SVD of each small matrix."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from operators.base import SpectralOperator


class Factors(NamedTuple):
    """One 1-D matrix [m, n], its singular values [k], V [n, k] and its pseudo-inverse [n, m]."""

    A: Tensor
    s: Tensor
    V: Tensor
    pinv: Tensor


class Separable(SpectralOperator):
    """A subclass writes `matrix(n)`, the 1-D map of n pixels, in float64.

    Singular values of a 1-D matrix below `threshold` count as zero, in A as in A^+. Factors are made in float64 once per size.
    """

    threshold = 1e-6

    def __init__(self) -> None:
        super().__init__()
        self._cache: dict[tuple[Any, ...], Factors] = {}

    def matrix(self, n: int) -> Tensor:
        """[m, n], float64: what happens to a row of n pixels."""
        raise TypeError(f"{type(self).__name__} defines no matrix(n); a separable operator is that")

    def factors(self, n: int, like: Tensor) -> Factors:
        """The matrix for n pixels, decomposed, in the type and on the device of `like`."""
        key = (n, like.dtype, like.device)
        if key not in self._cache:
            A = self.matrix(n)
            U, s, Vt = torch.linalg.svd(A, full_matrices=False)
            keep = s > self.threshold
            U, s, Vt = U[:, keep], s[keep], Vt[keep]
            A = A if keep.all() else U * s @ Vt
            self._cache[key] = Factors(*(z.to(like) for z in (A, s, Vt.T, Vt.T / s @ U.T)))
        return self._cache[key]

    def both(self, shape: tuple[int, ...], like: Tensor) -> tuple[Factors, Factors]:
        """Factors for the columns and rows of x, given its shape."""
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
