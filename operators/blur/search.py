"""The blur that a photo's gradients speak for among strokes: lines of any length and angle, drawn with a Gaussian brush.

Length 0 is a Gaussian, a thin brush is straight motion, and what lies between is near most kernels of one piece. Coarse to fine: the least
energy (operators/blur/evidence.py) on a grid, then in ever smaller steps from there.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.blur.evidence import posterior
from operators.blur.kernels import normalised, offsets

WINDOW, STRIDE = 160, 32  # pixels: the part of a picture that is looked at, and its places
THIN = 0.3  # the brush of a line, pixels
WIDTHS = (
    0.3,
    0.7,
    1.0,
    1.4,
    2.0,
    2.8,
    4.0,
    5.6,
    8.0,
)  # pixels, of Gaussians on the grid; those of at most a quarter of the kernel
LENGTHS = (0.33, 0.6, 0.87)  # of lines on the grid, of the kernel's side
ANGLES = 12
STEPS = 1.0, 0.5, 0.25


class Stroke(NamedTuple):
    """A line of `length` pixels at `angle` degrees, counter-clockwise from the horizontal, drawn with a brush of std `width` pixels."""

    length: float
    angle: float
    width: float

    def kernel(self, size: int) -> Tensor:
        """Its picture [size, size], of sum 1."""
        y, x = offsets(size)
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        along, across = c * x - s * y, s * x + c * y
        half, spread = self.length / 2, max(self.width, 0.1) * 2**0.5
        if self.length < 0.5:
            return normalised(torch.exp(-(along.square() + across.square()) / spread**2))
        return normalised(
            (torch.erf((along + half) / spread) - torch.erf((along - half) / spread))
            * torch.exp(-((across / spread) ** 2))
        )

    def neighbours(self, step: float, size: int) -> Iterator["Stroke"]:
        """Strokes a little longer, shorter, turned, thinner and thicker."""
        ratio = 1.4**step
        yield self._replace(width=max(self.width / ratio, THIN))
        yield self._replace(width=min(self.width * ratio, size / 3))
        if self.length < 0.5:
            yield from (
                self._replace(length=max(2.0, 2 * self.width), angle=45.0 * k)
                for k in range(4 if step == 1 else 0)
            )
            return
        yield self._replace(length=min(self.length * ratio, size - 1.0))
        yield self._replace(length=self.length / ratio if self.length > 2 else 0.0)
        turn = step * min(20.0, math.degrees(2 / self.length))
        yield from (self._replace(angle=(self.angle + t) % 180) for t in (turn, -turn))


def grid(size: int) -> list[Stroke]:
    """Where the search begins."""
    lines = [
        Stroke(share * size, 180 / ANGLES * k, THIN) for share in LENGTHS for k in range(ANGLES)
    ]
    return [Stroke(0.0, 0.0, w) for w in WIDTHS if w <= max(size / 4, WIDTHS[0])] + (
        lines if size > 3 else []
    )


def best_stroke(g: Tensor, size: int, lam: float) -> Stroke:
    """The stroke of least energy for the gradients g [1, 2, H, W] of a blurred photo, whose noise has the variance lam."""
    known: dict[Stroke, float] = {}

    def energy(stroke: Stroke) -> float:
        if stroke not in known:
            known[stroke] = posterior(stroke.kernel(size).to(g), g, lam).energy
        return known[stroke]

    best = min(grid(size), key=energy)
    for step in STEPS:
        while (better := min((best, *best.neighbours(step, size)), key=energy)) != best:
            best = better
    return best


def telling_window(g: Tensor) -> tuple[slice, slice]:
    """Rows and columns of the part of gradients g [1, 2, H, W] that has edges of every direction."""
    if not g.numel():
        return slice(0), slice(0)
    sides = [min(n, WINDOW) for n in g.shape[-2:]]
    across, down = g.split(1, 1)
    xx, yy, xy = (
        F.avg_pool2d(m, sides, STRIDE)[0, 0]
        for m in (across.square(), down.square(), across * down)
    )
    least = (xx + yy) / 2 - (((xx - yy) / 2).square() + xy.square()).sqrt()
    place = divmod(int(least.argmax()), least.shape[1])
    row, column = (slice(STRIDE * i, STRIDE * i + n) for i, n in zip(place, sides, strict=True))
    return row, column
