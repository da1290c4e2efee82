"""The kernel of a blurred photo, from its gradients g alone.

s = the stroke of least energy                       operators/blur/blind/search.py
k = s, freed by a few rounds of variational Bayes    operators/blur/blind/evidence.py

x and k are known up to a common shift, so that k is centred.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.blur.blind.evidence import by_turns
from operators.blur.blind.search import StrokeSearch
from operators.blur.kernel_shape import principal_axes, without_specks

# The side of the part of a picture that is looked at, and the raster of its places, in pixels.
WINDOW, RASTER = 160, 32

# The share of a window that may lie in another, for both to tell of different parts.
SHARED = 0.6


@dataclass(frozen=True)
class KernelEstimator:
    """Estimates a kernel from gradients; pictures are in [-1, 1].

    Attributes:
        tolerance: variance of gradients that is left unexplained beside the noise; with less the
            search runs into poor minima.
        flat: variance of gradients, beyond that of noise, that shows nothing.
        free_rounds: how often x and the kernel's pixels are found in turn.
        inertia: how a kernel resists change in them, as a share of the gradients' power.
        speck: entries below this share of a kernel's peak are not believed.
        sharp: std along the longest axis in pixels; a photo has so much blur of its own.
        search: for the stroke that it begins with.
    """

    tolerance: float = 4e-3
    flat: float = 1e-6
    free_rounds: int = 3
    inertia: float = 0.3
    speck: float = 0.05
    sharp: float = 0.6
    search: StrokeSearch = field(default_factory=StrokeSearch)

    def __call__(self, g: Tensor, size: int, noise: float) -> Tensor:
        """The kernel that gradients alone speak for.

        Args:
            g: gradients [1, 2, H, W] of a blurred photo.
            size: the kernel's largest side, odd; a small picture has a smaller kernel.
            noise: the variance of their noise.

        Returns:
            k [h, h], which is >= 0, sums to 1 and has its centroid in the middle; that of no blur
            where there is nothing to see, or hardly any blur.
        """
        size = min(size, 2 * (min(g.shape[-2:]) // 4) + 1)
        if not g.numel() or g.square().mean() < 1.2 * noise + self.flat:
            return point_kernel(size).to(g)

        # The stroke, then every pixel of it for itself.
        lam = self.tolerance + noise
        k = self.search(g, size, lam).kernel(size).to(g)
        k = by_turns(k, g, lam, self.free_rounds, self.inertia)
        k = without_specks(k, self.speck)
        return k if principal_axes(k)[0] > self.sharp else point_kernel(size).to(g)


def edge_window(g: Tensor) -> tuple[slice, slice]:
    """Rows and columns of the part of gradients g [1, 2, H, W] with edges of every direction."""
    if not g.numel():
        return slice(0), slice(0)

    sides = window_sides(g)
    least = edges_by_window(g, RASTER)

    place = divmod(int(least.argmax()), least.shape[1])
    row, column = (slice(RASTER * i, RASTER * i + n) for i, n in zip(place, sides, strict=True))
    return row, column


def window_sides(g: Tensor) -> list[int]:
    """Rows and columns of the windows of gradients [1, 2, H, W]."""
    return [min(n, WINDOW) for n in g.shape[-2:]]


def edges_by_window(g: Tensor, raster: int) -> Tensor:
    """How many edges of every direction each window of gradients g [1, 2, H, W] has.

    The smaller eigenvalue of its structure tensor, which is large where no direction lacks.

    Args:
        g: the gradients.
        raster: pixels between the places of windows.

    Returns:
        [rows, columns] of windows.
    """
    across, down = g.split(1, 1)
    xx, yy, xy = (
        F.avg_pool2d(m, window_sides(g), raster)[0, 0]
        for m in (across.square(), down.square(), across * down)
    )
    return (xx + yy) / 2 - (((xx - yy) / 2).square() + xy.square()).sqrt()


def far_window(g: Tensor, window: tuple[slice, slice]) -> tuple[slice, slice] | None:
    """The corner of gradients g [1, 2, H, W] farthest from a window, of its size.

    None if most of it would lie in the window.
    """
    if not g.numel():
        return None

    corner = []
    for n, part in zip(g.shape[-2:], window, strict=True):
        side = part.stop - part.start
        start = 0 if part.start > n - part.stop else n - side
        corner.append(slice(start, start + side))

    rows, columns = corner
    shared = [
        max(0, min(a.stop, b.stop) - max(a.start, b.start)) / max(1, b.stop - b.start)
        for a, b in zip((rows, columns), window, strict=True)
    ]
    return None if shared[0] * shared[1] > SHARED else (rows, columns)


def point_kernel(size: int) -> Tensor:
    """The kernel [size, size] of no blur."""
    kernel = torch.zeros(size, size)
    kernel[size // 2, size // 2] = 1
    return kernel


def rim_share(kernel: Tensor) -> float:
    """The share of a kernel [h, w] of sum 1 that lies in its outermost rows and columns."""
    if min(kernel.shape) < 3:
        return 0.0
    return float(kernel.sum() - kernel[1:-1, 1:-1].sum())
