"""How soft a photo is, by the evidence of its gradients: a Gaussian, with a sharpener's halo.

k      = (1 + h) G_w - h G_v,   v^2 = w^2 + REACH^2          G_w: the Gaussian of std w
w, h   = argmin energy(k)                                    operators/blur/blind/evidence.py

A lens, a sensor and an interpolation blur about as a Gaussian does; cameras then sharpen, which
draws a halo around every edge and adds no detail. A Gaussian alone would take a sharpened photo
for a sharp one, and its halo for structure, which an enlargement exaggerates.
Sources: Levin et al., CVPR 2011 (the evidence); Michaeli and Irani, ICCV 2013, and Bell-Kligler
et al., NeurIPS 2019 (that the kernel of an enlargement can be found in the photo alone).
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.blur.blind.evidence import gradients, posterior
from operators.blur.kernel_shape import normalise, offsets

# What the search begins with, widths in pixels; its steps, a factor and a summand; its bounds.
WIDTHS, HALOS = (0.45, 0.6, 0.75, 0.95, 1.2, 1.6), (0.0, 1.0)
FINER, HALO_STEP = 1.12, 0.25
NARROWEST, WIDEST, STRONGEST = 0.3, 2.0, 1.5

# The std in pixels by which a sharpener's mask is wider than what it sharpens.
REACH = 1.0

# The side of the kernels that are compared, and of the part of the photo that is looked at.
SIDE, WINDOW = 9, 112

# Variance of gradients, [-1, 1] units, that is left unexplained beside the noise.
TOLERANCE = 4e-3


class Spread(NamedTuple):
    """What a point of light becomes.

    Attributes:
        width: std of the Gaussian, in pixels.
        halo: the share of a wider one that a sharpener has taken off.
    """

    width: float
    halo: float = 0.0

    def kernel(self) -> Tensor:
        """k [SIDE, SIDE], of sum 1."""
        y, x = offsets(SIDE)
        squared = y.square() + x.square()
        narrow = normalise(torch.exp(-0.5 * squared / self.width**2))
        wide = normalise(torch.exp(-0.5 * squared / (self.width**2 + REACH**2)))
        return (1 + self.halo) * narrow - self.halo * wide

    def transfer(self, squared: Tensor) -> Tensor:
        """Its transfer function at squared angular frequencies, in radians a pixel."""
        narrow = torch.exp(-0.5 * self.width**2 * squared)
        return narrow * (1 + self.halo * (1 - torch.exp(-0.5 * REACH**2 * squared)))

    def neighbours(self) -> Iterator["Spread"]:
        """Spreads a little wider and narrower, with more halo and less, and both at once."""
        for factor, step in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)):
            width = self.width * FINER**factor
            halo = self.halo + HALO_STEP * step
            if NARROWEST <= width <= WIDEST and 0 <= halo <= STRONGEST:
                yield Spread(width, halo)


def find_spread(y: Tensor, noise: float) -> Spread | None:
    """The spread that a photo's gradients speak for.

    Args:
        y: [1, C, H, W] in [-1, 1].
        noise: std of its noise, the same units.

    Returns:
        The spread, of all that softens the photo; None where there is too little to see.
    """
    g = busiest(gradients(y.detach().float()))
    variance = 2 * noise**2 / y.shape[1]  # of the difference of two means over the channels
    if min(g.shape[-2:]) < 2 * SIDE or g.square().mean() < 1.5 * variance + 1e-5:
        return None
    energies: dict[Spread, float] = {}

    def energy(spread: Spread) -> float:
        if spread not in energies:
            kernel = spread.kernel().to(g)
            energies[spread] = posterior(kernel, g, TOLERANCE + variance).energy
        return energies[spread]

    # The best of a grid, then downhill.
    best = min((Spread(width, halo) for halo in HALOS for width in WIDTHS), key=energy)
    while (better := min((best, *best.neighbours()), key=energy)) != best:
        best = better
    return best


def busiest(g: Tensor) -> Tensor:
    """The part of gradients g [1, 2, H, W], at most WINDOW pixels a side, with the most power."""
    sides = [min(n, WINDOW) for n in g.shape[-2:]]
    if not g.numel() or sides == list(g.shape[-2:]):
        return g
    power = F.avg_pool2d(g.abs().sum(1, keepdim=True), sides, WINDOW // 4)[0, 0]
    row, column = (WINDOW // 4 * i for i in divmod(int(power.argmax()), power.shape[1]))
    return g[..., row : row + sides[0], column : column + sides[1]]
