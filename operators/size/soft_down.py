"""Enlarging a photo whose blur nobody knows: the kernel of the shrinking is found in the photo.

w, h    = what a point became, in pixels of y                       operators/size/spread.py
sigma^2 = w^2 - SHARP^2                                             what a sharp photo has not
A       = D B,   B = the blur by sigma and h;                       D: block means, or bicubic

A photo that is not clearly softer than sharp ones are keeps D alone.
"""

from typing import Any, Protocol, cast

import torch
from torch import Tensor

from operators.base import Operator
from operators.scale import split_factor
from operators.size.folded import Folded
from operators.size.spread import Spread, find_spread

KNOWN, AUTO = "known", "auto"

# Width in pixels that a sharp photo's gradients speak for, at most: half of them are below 0.55.
SHARP = 0.65

# The softness in pixels worth undoing: where no halo shows a camera's hand, only what is clear.
LEAST, LEAST_PLAIN = 0.35, 0.45

# What a soft photo's noise counts as at least, [-1, 1] units: the kernel is a little wrong.
DOUBT = 0.02


class Shrinking(Protocol):
    """What makes a picture r times smaller, by one row of taps in each direction."""

    r: int

    def __init__(self, r: int): ...

    def taps(self) -> tuple[Tensor, Tensor]:
        """Distances from the middle of a block [n], in pixels of x, and weights [n], float64."""


class OwnKernel(Operator):
    """Has a shrinking ask the photo how soft it is, where `kernel` is auto.

    Attributes:
        kernel: known, or auto.
    """

    kernel: str

    def set_kernel(self, kernel: str) -> None:
        """Take the setting; ValueError unless it is known or auto."""
        if kernel not in (KNOWN, AUTO):
            raise ValueError(
                f"operator.kernel={kernel!r}; it is {KNOWN}, or {AUTO}: found in the photo"
            )
        self.kernel = kernel

    @property
    def of_one_photo(self) -> bool:
        return self.kernel == AUTO

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The shrinking by this photo's own kernel.

        Args:
            photo: [1, 3, H, W] in [-1, 1].
            noise: std of its noise, a number or [..., H, W] by frequency.
        """
        if self.kernel != AUTO:
            return self
        found = find_spread(photo, float(torch.as_tensor(noise).square().mean().sqrt()))
        sigma = max(found.width**2 - SHARP**2, 0.0) ** 0.5 if found else 0.0
        if found is None or sigma < (LEAST if found.halo else LEAST_PLAIN):
            return self

        soft = SoftDown(cast(Shrinking, self), Spread(sigma, found.halo))
        return soft.with_noise(max(self.sigma_y, DOUBT))


class SoftDown(Folded):
    """y = D B x: a blur by a spread, then a shrinking; borders are reflected.

    [B, C, r h, r w] -> [B, C, h, w]

    Args:
        down: D.
        spread: of B.
        unit: of the spread, in pixels of x; a pixel of y if None.
    """

    def __init__(self, down: Shrinking, spread: Spread, unit: float | None = None):
        super().__init__(down.r)
        self.down, self.spread = down, spread
        self.unit = float(self.r) if unit is None else unit

    def transfer(self, down: Tensor, across: Tensor) -> Tensor:
        places, taps = self.down.taps()
        D = torch.cos(down * places) @ taps[:, None] * (torch.cos(across.T * places) @ taps)
        return D * self.spread.transfer(self.unit**2 * (down**2 + across**2))

    def describe(self, y: Tensor) -> dict[str, Any]:
        """How soft the photo was found to be, the std in its pixels, and how much sharpened."""
        return {"softness": self.spread.width, "halo": self.spread.halo}

    def at_scale(self, r: int, y: Tensor) -> tuple["SoftDown", Tensor]:
        """What is left to enlarge; the spread has the same size in the scene."""
        left, y, extra = split_factor(self.r, r, y)
        small = SoftDown(type(self.down)(left), self.spread, self.unit / r)
        return small.with_noise(self.sigma_y / extra), y
