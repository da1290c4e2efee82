"""Demosaicking: a sensor behind a Bayer filter sees one colour at each pixel.

Source: B. E. Bayer, Color imaging array, US patent 3971065, 1976.
"""

import torch
from torch import Tensor

from operators.base import Operator, ProjectionOperator
from operators.identity import Identity
from operators.missing.demosaic import RADIUS, bilinear, malvar
from operators.scale import shrink_known

BAYER = ("RGGB", "BGGR", "GRBG", "GBRG")


class Mosaic(ProjectionOperator):
    """y = sum_c m_c x_c, m_c the places of colour c: [B, 3, H, W] -> [B, 1, H, W].

    Args:
        pattern: the colours of a 2 x 2 cell row by row, such as RGGB.

    Raises:
        ValueError: it is not four letters of R, G and B.
    """

    # Without noise four photos come to 36.3 dB in 9 calls, 39.0 in 24, and no further.
    s, onto, pace = 1.0, True, 5.0
    cell: Tensor

    def __init__(self, pattern: str = "RGGB"):
        super().__init__()
        if len(pattern) != 4 or set(pattern.upper()) - set("RGB"):
            raise ValueError(
                f"operator.pattern={pattern!r}; "
                "a Bayer cell is four letters of R, G and B, such as RGGB"
            )
        cell = torch.tensor(["RGB".index(c) for c in pattern.upper()])
        self.register_buffer("cell", cell, persistent=False)
        self.bayer = pattern.upper() in BAYER

    def filters(self, y: Tensor) -> Tensor:
        """m [1, 3, H, W]: 1 where that colour is seen."""
        H, W = y.shape[-2:]
        i, j = torch.arange(H, device=y.device)[:, None] % 2, torch.arange(W, device=y.device) % 2
        colour = self.cell.to(y.device)[2 * i + j]
        return (colour == torch.arange(3, device=y.device)[:, None, None])[None].to(y)

    def forward(self, x: Tensor) -> Tensor:
        return (self.filters(x) * x).sum(1, keepdim=True)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.filters(y) * y

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        B, _, H, W = y.shape
        return (B, 3, H, W)

    def guess(self, y: Tensor) -> Tensor:
        """Linear interpolation, of Bayer's patterns corrected by what the other colours tell."""
        if min(y.shape[-2:]) <= RADIUS:
            return self.adjoint(y)
        return (malvar if self.bayer else bilinear)(y, self.filters(y))

    def observe(self, photo: Tensor) -> Tensor:
        """A raw mosaic stored as a grey RGB file, or a colour photo as the sensor sees it."""
        return self(photo)

    def at_scale(self, r: int, y: Tensor) -> tuple[Operator, Tensor]:
        """A coarse pixel covers every colour, so nothing but noise is left to undo."""
        if r == 1:
            return self, y
        y, _, gain = shrink_known(self.adjoint(y), self.filters(y), r, 1e-6)
        return Identity().with_noise(self.sigma_y / gain), y
