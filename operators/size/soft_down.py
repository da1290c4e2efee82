"""Enlarging a photo whose blur nobody knows: the kernel of the shrinking is found in the photo.

w, h    = what a point became, in pixels of y                       operators/size/spread.py
sigma^2 = w^2 - SHARP^2                                             what a sharp photo has not
sigma  <= SURE sqrt(W^2 - OWN^2)        W: the width of y's spectrum      operators/blur/fall.py
A       = D B,   B = the blur by sigma and h;                       D: block means, or bicubic

A photo that is not clearly softer than sharp ones are keeps D alone. Where gradients are of what
was never sharp, clouds or what is out of focus, they speak for a wider blur than y has, which
drew ripples 12 dB worse than interpolation is; y's spectrum does not.
"""

from typing import Any, Protocol, cast

import torch
from torch import Tensor

from operators.base import Operator
from operators.blur.fall import AGREE, fall_of
from operators.blur.softness import clearance, softness
from operators.scale import split_factor
from operators.size.folded import Folded
from operators.size.spread import Spread, find_spread
from operators.tools.rms import rms_of

KNOWN, AUTO = "known", "auto"

# Width in pixels that a sharp photo's gradients speak for, at most: half of them are below 0.55.
SHARP = 0.65

# The softness in pixels worth undoing: where no halo shows a camera's hand, only what is clear.
LEAST, LEAST_PLAIN = 0.35, 0.45

# The width in pixels that a sharp photo's spectrum has, and how many times what a photo has beyond
# it may be undone: gradients see a camera's halo, which the spectrum takes for sharpness.
OWN, SURE = 0.5, 1.1

# What a soft photo's noise counts as at least, [-1, 1] units: the kernel is a little wrong. Where a
# blur has taken most of it a photo's signal is to be so many times that: smooth ones have no more.
DOUBT, CLEAR = 0.02, 2.0


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
        level = rms_of(noise)
        found = find_spread(photo, level)
        if found is None:
            return self
        found = bounded(found, photo, noise)
        if found.width < (LEAST if found.halo else LEAST_PLAIN):
            return self
        if clearance(photo, found.width, max(level, DOUBT)) < CLEAR:
            return self

        soft = SoftDown(cast(Shrinking, self), found)
        soft.own_noise, soft.may_ring = level, True
        return soft.with_noise(max(self.sigma_y, DOUBT))


class SoftDown(Folded):
    """y = D B x: a blur by a spread, then a shrinking; borders are reflected.

    [B, C, r h, r w] -> [B, C, h, w]

    Args:
        down: D.
        spread: of B.
        pixel: of the spread, in pixels of x; one of y if None.
    """

    def __init__(self, down: Shrinking, spread: Spread, pixel: float | None = None):
        super().__init__(down.r)
        self.down, self.spread = down, spread
        self.pixel = float(self.r) if pixel is None else pixel

    def transfer(self, down: Tensor, across: Tensor) -> Tensor:
        places, taps = self.down.taps()
        D = torch.cos(down * places) @ taps[:, None] * (torch.cos(across.T * places) @ taps)
        return D * self.spread.transfer(self.pixel**2 * (down**2 + across**2))

    def describe(self, y: Tensor) -> dict[str, Any]:
        """How soft the photo was found to be, the std in its pixels, and how much sharpened."""
        return {"softness": self.spread.width, "halo": self.spread.halo}

    def at_scale(self, r: int, y: Tensor) -> tuple["SoftDown", Tensor]:
        """What is left to enlarge; the spread has the same size in the scene."""
        left, y, extra = split_factor(self.r, r, y)
        small = SoftDown(type(self.down)(left), self.spread, self.pixel / r)
        return small.with_noise(self.sigma_y / extra), y


def bounded(found: Spread, photo: Tensor, noise: Tensor | float) -> Spread:
    """What is undone of the spread that a photo's gradients speak for.

    Args:
        found: the spread, of all that softens the photo.
        photo, noise: as `for_photo` has them; where noise hides the spectrum, it says nothing.
    """
    width, edges = max(found.width**2 - SHARP**2, 0.0) ** 0.5, softness(photo)
    fall = fall_of(photo, max(OWN, edges), noise)
    if fall.reach and edges > AGREE * fall.width:  # there are none: nothing was ever sharp
        return Spread(0.0)
    most = SURE * max(fall.width**2 - OWN**2, 0.0) ** 0.5
    if not fall.reach or width <= most:
        return found._replace(width=width)
    return Spread(most, found.halo * (most / width) ** 2)
