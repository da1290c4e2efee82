"""Colours mixed by a matrix: faded dyes, a colour filter, another colour space.

y01 = M x01
y   = M x + (M 1 - 1)      in [-1, 1]
M   = U diag(s) V^T        one small SVD for all pixels
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import AffineOperator, SpectralOperator
from operators.scale import same_at_scale

# What faded dyes do: each lets some of the other colours through.
CROSSTALK = ((0.7, 0.2, 0.1), (0.15, 0.7, 0.15), (0.1, 0.2, 0.7))


def per_pixel(matrix: Tensor, x: Tensor) -> Tensor:
    """A matrix [k, c], applied to the channels of every pixel of x [B, c, H, W]."""
    return torch.einsum("kc,bchw->bkhw", matrix.to(x), x)


class ChannelMatrix(SpectralOperator):
    """y = M x: [B, 3, H, W] -> [B, k, H, W].

    Args:
        matrix: M [k, 3].
    """

    matrix: Tensor
    inverse: Tensor
    singular: Tensor
    basis: Tensor

    def __init__(self, matrix: Tensor):
        super().__init__()
        _, s, Vh = torch.linalg.svd(matrix)
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("inverse", torch.linalg.pinv(matrix), persistent=False)
        self.register_buffer("singular", F.pad(s, (0, 3 - len(s))), persistent=False)
        self.register_buffer("basis", Vh, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return per_pixel(self.matrix, x)

    def adjoint(self, y: Tensor) -> Tensor:
        return per_pixel(self.matrix.T, y)

    def pinv(self, y: Tensor) -> Tensor:
        return per_pixel(self.inverse, y)

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        weights = f(self.singular.to(x)).view(1, 3, 1, 1)
        return per_pixel(self.basis.T, weights * per_pixel(self.basis, x))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (len(y), 3, *y.shape[-2:])


class Mixing(AffineOperator):
    """y01 = M x01: [B, 3, H, W] -> [B, k, H, W].

    Args:
        matrix: M, k rows of three numbers, which act on [0, 1] pixels; each row is an output.
            Singular values below 1e-4 of the largest count as 0.
    """

    matrix: Tensor

    def __init__(self, matrix: Sequence[Sequence[float]] = CROSSTALK):
        super().__init__()
        rows = [list(row) for row in matrix]
        shaped = bool(rows) and all(len(row) == 3 for row in rows)
        if not shaped or not torch.tensor(rows).isfinite().all() or not torch.tensor(rows).any():
            raise ValueError(
                f"operator.matrix={rows}; "
                "colour mixing needs rows of three finite numbers, not all 0"
            )

        U, s, Vh = torch.linalg.svd(torch.tensor(rows, dtype=torch.float64), full_matrices=False)
        M = U @ torch.diag(torch.where(s > 1e-4 * s[0], s, 0)) @ Vh
        self.register_buffer("matrix", M, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        M = self.matrix.to(x)
        return per_pixel(M, x) + (M.sum(1) - 1).view(1, -1, 1, 1)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (len(y), 3, *y.shape[-2:])

    def linear_part(self) -> ChannelMatrix:
        return ChannelMatrix(self.matrix)

    def observe(self, photo: Tensor) -> Tensor:
        """A photo holds three channels; fewer outputs are its first ones."""
        return photo[:, : len(self.matrix)]

    def at_scale(self, r: int, y: Tensor) -> tuple["Mixing", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)
