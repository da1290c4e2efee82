"""The stroke that a photo's gradients speak for: a line of any length and angle.

A stroke is drawn with a Gaussian brush. Of length 0 it is a Gaussian, with a thin brush it is
straight motion, and what lies between is near most kernels of one piece.

    s = argmin energy(s) over a grid,   then over the neighbours of s in ever smaller steps

The energy is that of operators/blur/blind/evidence.py.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from operators.blur.blind.evidence import posterior
from operators.blur.kernel_shape import normalise, turned_offsets

# The brush of a line on the grid, and the thinnest of all: std in pixels.
THIN = 0.3

# A line that is shorter than this is a Gaussian, in pixels.
SHORTEST = 0.5


class Stroke(NamedTuple):
    """A line, drawn with a Gaussian brush.

    Attributes:
        length: in pixels; 0 is a Gaussian.
        angle: degrees, counter-clockwise from the horizontal.
        width: the std of the brush in pixels.
    """

    length: float
    angle: float
    width: float

    def kernel(self, size: int) -> Tensor:
        """Its picture [size, size], of sum 1: the line convolved with the brush."""
        along, across = turned_offsets(size, self.angle)
        half, spread = self.length / 2, max(self.width, 0.1) * 2**0.5

        if self.length < SHORTEST:
            return normalise(torch.exp(-(along.square() + across.square()) / spread**2))

        lengthwise = torch.erf((along + half) / spread) - torch.erf((along - half) / spread)
        return normalise(lengthwise * torch.exp(-((across / spread) ** 2)))

    def neighbours(self, step: float, size: int) -> Iterator["Stroke"]:
        """Strokes a little thinner and thicker, longer and shorter, and turned.

        Args:
            step: how far they are; 1 is a factor of 1.4, and a turn of up to 20 degrees.
            size: the side of the kernel that they fit into.
        """
        ratio = 1.4**step
        yield self._replace(width=max(self.width / ratio, THIN))
        yield self._replace(width=min(self.width * ratio, size / 3))

        # A Gaussian has no direction: it can become a line in each, by whole steps only.
        if self.length < SHORTEST:
            for k in range(4 if step == 1 else 0):
                yield self._replace(length=max(2.0, 2 * self.width), angle=45.0 * k)
            return

        yield self._replace(length=min(self.length * ratio, size - 1.0))
        yield self._replace(length=self.length / ratio if self.length > 2 else 0.0)

        # The ends of a line move by two pixels at most.
        turn = step * min(20.0, math.degrees(2 / self.length))
        for angle in (turn, -turn):
            yield self._replace(angle=(self.angle + angle) % 180)


@dataclass(frozen=True)
class StrokeSearch:
    """Finds the stroke of least energy, coarse to fine.

    Attributes:
        widths: std in pixels of the Gaussians on the grid; those of at most a quarter of the
            kernel's side are tried.
        lengths: of the lines on the grid, as shares of the kernel's side.
        angles: how many of them there are, over half a turn.
        steps: those of the refinement, one after the other.
    """

    widths: tuple[float, ...] = (0.3, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
    lengths: tuple[float, ...] = (0.33, 0.6, 0.87)
    angles: int = 12
    steps: tuple[float, ...] = (1.0, 0.5, 0.25)

    def __call__(self, g: Tensor, size: int, lam: float) -> Stroke:
        """The stroke that gradients speak for.

        Args:
            g: the gradients of a blurred photo [1, 2, H, W].
            size: the side of the kernel, odd.
            lam: the variance of their noise.
        """
        energies: dict[Stroke, float] = {}

        def energy(stroke: Stroke) -> float:
            if stroke not in energies:
                energies[stroke] = posterior(stroke.kernel(size).to(g), g, lam).energy
            return energies[stroke]

        best = min(self.grid(size), key=energy)
        for step in self.steps:
            while (better := min((best, *best.neighbours(step, size)), key=energy)) != best:
                best = better
        return best

    def grid(self, size: int) -> list[Stroke]:
        """Where the search begins."""
        widest = max(size / 4, self.widths[0])
        gaussians = [Stroke(0.0, 0.0, width) for width in self.widths if width <= widest]
        if size <= 3:
            return gaussians

        lines = [
            Stroke(share * size, 180 / self.angles * k, THIN)
            for share in self.lengths
            for k in range(self.angles)
        ]
        return gaussians + lines
