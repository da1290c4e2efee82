"""A kernel of any shape, by ever finer pictures of a photo's gradients.

s_1 = size, s_j+1 = s_j / RATIO, down to 3           sides of the kernel, in pixels of scale j
g_j = g shrunk by s_j / size                         the gradients of a picture that is as small
x, k by turns at each scale                          operators/blur/blind/evidence.py
k_j-1 begins as k_j enlarged

Levin et al., CVPR 2011; Fergus et al., SIGGRAPH 2006. A coarse scale has few kernels to choose
from, so that a camera's winding path is found without any start.

It takes much to see: in a small or noisy picture what is found is of little worth, and where things
move the blur is not the same everywhere. Both show when two parts of the picture, a and b, are
looked at by themselves:

doubt  = E_a(k_b) - E_a(k_a) + E_b(k_a) - E_b(k_b)   E_a(k): energy of the kernel k in part a

It is up to 0.035 for photos of real camera shake, and from 0.041 to 0.26 for four in which things
move.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.blur.blind.evidence import by_turns, posterior
from operators.blur.kernel_shape import without_specks

# How much smaller the next scale is.
RATIO = 2**0.5

# The doubt from which two parts of a picture do not have the same blur.
DOUBTFUL = 0.038


@dataclass(frozen=True)
class CoarseToFine:
    """Finds a kernel from nothing; pictures are in [-1, 1].

    Attributes:
        tolerance: variance of gradients that is left unexplained beside the noise.
        rounds: how often x and the kernel's pixels are found in turn, at each scale.
        inertia: how a kernel resists change in them, as a share of the gradients' power.
        speck: entries below this share of a kernel's peak are not believed.
    """

    tolerance: float = 1e-3
    rounds: int = 6
    inertia: float = 0.1
    speck: float = 0.05

    def __call__(self, g: Tensor, size: int, noise: float) -> Tensor:
        """The kernel that gradients alone speak for.

        Args:
            g: gradients [1, 2, H, W] of a blurred photo.
            size: the kernel's side, odd, at least 3 and at most half of g's sides.
            noise: the variance of their noise.

        Returns:
            k [size, size], which is >= 0, sums to 1 and has its centroid in the middle.
        """
        k = first_kernel(g)
        for side in sides(size):
            k, r = enlarged(k, side), side / size
            lam = self.tolerance + noise * r**2
            k = by_turns(k, shrunk(g, r), lam, self.rounds, self.inertia)
            k = without_specks(k, self.speck)
        return k

    def agreed(self, a: Tensor, b: Tensor, size: int, noise: float) -> Tensor | None:
        """The kernel of part a, if another part agrees on it; else None.

        Args:
            a, b: gradients [1, 2, H, W] of the parts.
            size, noise: as above.
        """
        one, other = (self(part, size, noise) for part in (a, b))

        def energy(k: Tensor, part: Tensor) -> float:
            return posterior(k, part, self.tolerance + noise).energy

        doubt = energy(other, a) - energy(one, a) + energy(one, b) - energy(other, b)
        return one if doubt < DOUBTFUL else None


def sides(size: int) -> list[int]:
    """Those of the kernel from coarse to fine, odd, from 3 to `size`."""
    found = [size]
    while found[-1] > 3:
        side = int(found[-1] / RATIO)
        found.append(max(3, min(side - (side + 1) % 2, found[-1] - 2)))
    return found[::-1]


def first_kernel(g: Tensor) -> Tensor:
    """A short line [3, 3] where gradients g are weaker: blur lies along there."""
    across, down = g.square().mean((0, 2, 3))
    k = torch.zeros(3, 3).to(g)
    (k[1] if across < down else k[:, 1]).copy_(g.new_tensor([0.25, 0.5, 0.25]))
    return k


def enlarged(k: Tensor, side: int) -> Tensor:
    """A kernel of the next scale, of sum 1."""
    larger = F.interpolate(k[None, None], (side, side), mode="bilinear", align_corners=False)
    return larger[0, 0] / larger.sum()


def shrunk(g: Tensor, r: float) -> Tensor:
    """Gradients [1, 2, H, W] of a picture r <= 1 times as large: 1 / r as steep there."""
    if r == 1:
        return g
    shape = [max(1, round(n * r)) for n in g.shape[-2:]]
    small = F.interpolate(g, shape, mode="bilinear", antialias=True, align_corners=False)
    return small / r
