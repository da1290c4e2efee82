"""Several exposures of one scene, as a linear operator.

y_k    = w_k x,   k = 1 .. K
A^+ y  = sum_k w_k y_k / sum_k w_k^2      each value by itself, so that V = I and s^2 = sum_k w_k^2
"""

from collections.abc import Callable

import torch
from torch import Tensor

from operators.base import SpectralOperator


class Stacked(SpectralOperator):
    """y_k = w_k x: [B, C, H, W] -> [B, KC, H, W].

    Args:
        weights: w [B, KC, H, W]; a batch of fewer images takes the first ones.
        exposures: K.
    """

    weights: Tensor

    def __init__(self, weights: Tensor, exposures: int):
        super().__init__()
        self.exposures = exposures
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.weights[: len(x)].to(x) * torch.cat([x] * self.exposures, 1)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (len(y), self.weights.shape[1] // self.exposures, *y.shape[-2:])

    def adjoint(self, y: Tensor) -> Tensor:
        return (self.weights[: len(y)].to(y) * y).unflatten(1, (self.exposures, -1)).sum(1)

    def power(self, like: Tensor) -> Tensor:
        """A^T A, the sum of w_k^2 [B, C, H, W]."""
        return self.weights[: len(like)].to(like).square().unflatten(1, (self.exposures, -1)).sum(1)

    def pinv(self, y: Tensor) -> Tensor:
        power = self.power(y)
        return torch.where(power == 0, 0, self.adjoint(y) / torch.where(power == 0, 1, power))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return f(self.power(x).sqrt()) * x
