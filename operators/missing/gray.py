"""Colourisation: y is a weighted mean of the channels."""

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.base import ProjectionOperator
from operators.scale import same_at_scale


class Gray(ProjectionOperator):
    """y = sum_c w_c x_c: [B, 3, H, W] -> [B, 1, H, W]; the one singular value is the norm of w.

    Args:
        weights: w of red, green and blue; their sum is 1.
    """

    onto = True
    weights: Tensor

    def __init__(self, weights: Sequence[float] = (1 / 3, 1 / 3, 1 / 3)):
        super().__init__()
        w = torch.tensor(list(weights), dtype=torch.float64)
        if w.shape != (3,) or not w.isfinite().all() or abs(w.sum() - 1) > 1e-3:
            raise ValueError(
                f"operator.weights={list(weights)}; "
                "grey needs three channel weights that add up to 1"
            )
        self.register_buffer("weights", w.view(1, 3, 1, 1), persistent=False)
        self.s = float(w.norm())

    def forward(self, x: Tensor) -> Tensor:
        return (self.weights.to(x) * x).sum(1, keepdim=True)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.weights.to(y) * y

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        B, _, H, W = y.shape
        return (B, 3, H, W)

    def observe(self, photo: Tensor) -> Tensor:
        """A grey photo stored as RGB, or a colour one, whose colours are then ignored."""
        return self(photo)

    def at_scale(self, r: int, y: Tensor) -> tuple["Gray", Tensor]:
        return same_at_scale(self, r, y)
