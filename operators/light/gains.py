"""White balance gone wrong: a gain for each channel.

y01 = g x01
y   = g x + (g - 1)       in [-1, 1]:  L = diag(g),  L^+ = diag(1 / g)
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import AffineOperator, SpectralOperator
from operators.scale import same_at_scale


class Scaling(SpectralOperator):
    """y = w x, each value by itself: [B, C, H, W] -> the same.

    Args:
        weights: w >= 0 [1, 1 or C, h, w]; a map of another size than the image's is resized
            bilinearly, unless it is a single value.
    """

    weights: Tensor

    def __init__(self, weights: Tensor):
        super().__init__()
        self.register_buffer("weights", weights, persistent=False)

    def at(self, x: Tensor) -> Tensor:
        """The weights, to broadcast against x."""
        w = self.weights.to(x)
        if w.shape[-2:] in ((1, 1), x.shape[-2:]):
            return w
        return F.interpolate(w, x.shape[-2:], mode="bilinear", antialias=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.at(x) * x

    def adjoint(self, y: Tensor) -> Tensor:
        return self(y)

    def pinv(self, y: Tensor) -> Tensor:
        w = self.at(y)
        return torch.where(w == 0, 0, y / torch.where(w == 0, 1, w))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return f(self.at(x)) * x


class Gains(AffineOperator):
    """y01 = g x01: [B, 3, H, W] -> the same, without clipping.

    Args:
        gains: g of red, green and blue, in [0, 1] units; above 0.
    """

    gains: Tensor

    def __init__(self, gains: Sequence[float] = (1.2, 1.0, 0.7)):
        super().__init__()
        g = torch.tensor(list(gains), dtype=torch.float64)
        if g.shape != (3,) or not g.isfinite().all() or (g <= 0).any():
            raise ValueError(
                f"operator.gains={list(gains)}; white balance needs three gains above 0"
            )
        self.register_buffer("gains", g.view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        g = self.gains.to(x)
        return g * x + (g - 1)

    def linear_part(self) -> Scaling:
        return Scaling(self.gains)

    def at_scale(self, r: int, y: Tensor) -> tuple["Gains", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)
