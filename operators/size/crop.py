"""Outpainting: y is the middle of a larger picture, whose frame is to be invented."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator
from operators.scale import shrink


class Crop(ProjectionOperator):
    """y = x[top:-bottom, left:-right]: [B, C, H + top + bottom, W + left + right] -> [B, C, H, W].

    Args:
        margins: [top, bottom, left, right] in pixels, or one number for all.
    """

    s, onto = 1.0, True

    def __init__(self, margins: int | Sequence[int] = 16):
        super().__init__()
        four = [margins] * 4 if isinstance(margins, int) else list(margins)
        whole = all(isinstance(m, int) and not isinstance(m, bool) and m >= 0 for m in four)
        if len(four) != 4 or not whole or not sum(four):
            raise ValueError(
                f"operator.margins={margins!r}; "
                "give pixels to add: one number, or [top, bottom, left, right]"
            )
        self.top, self.bottom, self.left, self.right = four
        self.frame = (self.left, self.right, self.top, self.bottom)

    def forward(self, x: Tensor) -> Tensor:
        H, W = x.shape[-2:]
        if min(H - self.top - self.bottom, W - self.left - self.right) < 1:
            raise ValueError(
                f"a {W}x{H} picture has no middle within margins of {self.top}, {self.bottom}, "
                f"{self.left}, {self.right} pixels; give a larger one, or smaller operator.margins"
            )
        return x[..., self.top : H - self.bottom, self.left : W - self.right]

    def adjoint(self, y: Tensor) -> Tensor:
        return F.pad(y, (self.left, self.right, self.top, self.bottom))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        B, C, H, W = y.shape
        return (B, C, H + self.top + self.bottom, W + self.left + self.right)

    def known(self, y: Tensor) -> Tensor | None:
        return self.adjoint(torch.ones_like(y[:1, :1], dtype=torch.bool))

    def at_scale(self, r: int, y: Tensor) -> tuple["Crop", Tensor]:
        """Margins as near to 1 / r as whole pixels come, but never none where there were some."""
        margins = [
            max(1, round(m / r)) if m else 0 for m in (self.top, self.bottom, self.left, self.right)
        ]
        return Crop(margins).with_noise(self.sigma_y / r), shrink(y, r)
