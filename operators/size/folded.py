"""Any symmetric blur, then every r-th place: a closed form for kernels that are not separable.

y^(u, v) = sum_j h_j(u, v) x^(U_j, V_j)        ^: the DCT-II;  M rows of y, r M of x
s(u, v)  = sqrt(sum_j h_j^2)                   U = u, 2 M - u, 2 M + u ..;  V likewise

Sampling folds r^2 frequencies of x on each of y, and no two of y share one: A A^T is diagonal.
Borders are reflected, half-sample symmetric; the places are the middles of r x r blocks.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from operators.base import SpectralOperator, check_factor
from operators.scale import enlarged_shape
from operators.tools.transforms import dct2, idct2


class Folded(SpectralOperator):
    """y = (k * x) at the middles of r x r blocks: [B, C, r h, r w] -> [B, C, h, w].

    A subclass writes `transfer`.

    Args:
        r: pixels of x a side, for one of y.

    Attributes:
        threshold: singular values of at most this count as 0, in A as in A^+.
    """

    threshold = 1e-4

    def __init__(self, r: int):
        super().__init__()
        self.r = self.divisor = check_factor(r)
        self._weights: tuple[tuple[Any, ...], Tensor] | None = None

    def transfer(self, down: Tensor, across: Tensor) -> Tensor:
        """K [H, W] of the kernel at frequencies [H, 1] and [1, W], radians a pixel of x."""
        raise TypeError(
            f"{type(self).__name__} defines no transfer(down, across); that is its blur"
        )

    def weights(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """h [r, M, r, N]; the last one is kept for the next x."""
        key = (tuple(shape[-2:]), like.dtype, like.device)
        if self._weights is None or self._weights[0] != key:
            H, W = shape[-2:]
            down, across = (torch.pi / n * torch.arange(n, dtype=torch.float64) for n in (H, W))
            K = self.transfer(down[:, None], across[None]).expand(H, W)

            # What sampling makes of each frequency, then what is too weak is left out.
            (rows, signs), (columns, other) = (folding(n, self.r) for n in (H, W))
            K = K[rows][:, columns] * signs[:, None] * other
            h = K.view(self.r, H // self.r, self.r, W // self.r)
            weak = h.square().sum((0, 2), keepdim=True).sqrt() <= self.threshold
            self._weights = key, torch.where(weak, 0, h).to(like)
        return self._weights[1]

    def folded(self, x: Tensor) -> Tensor:
        """The DCT of x [B, C, H, W], by the frequency of y that it falls on: [B, C, r, M, r, N]."""
        H, W = x.shape[-2:]
        rows, columns = folding(H, self.r)[0].to(x.device), folding(W, self.r)[0].to(x.device)
        c = dct2(x).index_select(-2, rows).index_select(-1, columns)
        return c.view(*x.shape[:-2], self.r, H // self.r, self.r, W // self.r)

    def unfolded(self, c: Tensor) -> Tensor:
        """The inverse of `folded`."""
        H, W = c.shape[-4] * c.shape[-3], c.shape[-2] * c.shape[-1]
        rows, columns = (folding(n, self.r)[0].argsort().to(c.device) for n in (H, W))
        flat = c.reshape(*c.shape[:-4], H, W)
        return idct2(flat.index_select(-2, rows).index_select(-1, columns))

    def forward(self, x: Tensor) -> Tensor:
        return idct2((self.weights(x.shape, x) * self.folded(x)).sum((-4, -2)))

    def adjoint(self, y: Tensor) -> Tensor:
        return self.unfolded(self.weights(self.x_shape(y), y) * spread_out(dct2(y)))

    def pinv(self, y: Tensor) -> Tensor:
        h = self.weights(self.x_shape(y), y)
        power = h.square().sum((0, 2))
        return self.unfolded(h * spread_out(dct2(y) / torch.where(power > 0, power, 1)))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        h = self.weights(x.shape, x)
        s = h.square().sum((0, 2)).sqrt()
        v = h / spread_out(torch.where(s > 0, s, 1))

        f0 = f(torch.zeros((), dtype=x.dtype, device=x.device))
        seen = (f(s) - f0) * (v * self.folded(x)).sum((-4, -2))
        return f0 * x + self.unfolded(v * spread_out(seen))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged_shape(y, self.r)


def spread_out(c: Tensor) -> Tensor:
    """[..., M, N] -> [..., 1, M, 1, N], as the weights are."""
    return c[..., None, :, None, :]


def folding(n: int, r: int) -> tuple[Tensor, Tensor]:
    """Which of n frequencies fall on each of n / r when every r-th place is kept.

    Returns:
        Their indices [n], r rows of n / r, and by what sampling multiplies each [n], float64.
    """
    M = n // r
    row, u = torch.arange(r)[:, None], torch.arange(M)[None]

    # Even rows count upwards from 2 M i, odd ones downwards; one that has no u = 0 is not seen.
    odd = row % 2 == 1
    index = torch.where(odd & (u > 0), (row + 1) * M - u, row * M + u)
    sign = 1.0 - 2.0 * (((row + 1) // 2) % 2)

    # Orthonormal cosines: the constant has a norm of its own.
    scale = torch.where((u == 0) & (row > 0), 2.0**0.5, 1.0) * torch.where(odd & (u == 0), 0.0, 1.0)
    return index.flatten(), (sign * scale / r**0.5).double().flatten()
