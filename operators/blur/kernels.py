"""The blur kernels that settings name, each [h, w] with odd sides and the sum 1.

uniform       1 in a square
gaussian      exp(-(i^2 + j^2) / 2 sigma^2)                                  kornia's
anisotropic   exp(-(a / sigma_x)^2 / 2 - (b / sigma_y)^2 / 2), a and b along an angle and across
disk          1 within a radius                                              defocus
motion        1 on a line                                                    kornia's
shake         how often a random walk with a drifting direction passes       camera shake
from_file     any other

kornia draws Gaussians along the rows and columns only, no disks, and motion on straight lines
only, so these three are drawn here.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.blur.kernel_file import from_file
from operators.blur.kernel_shape import (
    check_side,
    normalise,
    offsets,
    principal_axes,
    shrink_kernel,
    turned_offsets,
)

__all__ = [
    "anisotropic",
    "check_side",
    "disk",
    "from_file",
    "gaussian",
    "motion",
    "normalise",
    "offsets",
    "principal_axes",
    "shake",
    "shrink_kernel",
    "uniform",
]


def uniform(size: int = 9) -> Tensor:
    """A square of size x size pixels."""
    return normalise(torch.ones(check_side(size), size))


def gaussian(size: int = 9, sigma: float = 2.0) -> Tensor:
    """An isotropic Gaussian, cut to size x size pixels.

    Args:
        size: the side, odd.
        sigma: its std in pixels.
    """
    from kornia.filters import get_gaussian_kernel2d

    if not sigma > 0:
        raise ValueError(
            f"operator.kernel.sigma={sigma!r}; a Gaussian blur needs a width above 0 pixels"
        )
    std = (float(sigma), float(sigma))
    return normalise(get_gaussian_kernel2d(check_side(size), std, dtype=torch.float64)[0])


def anisotropic(
    size: int = 15, sigma_x: float = 4.0, sigma_y: float = 1.0, angle: float = 30.0
) -> Tensor:
    """A Gaussian that is longer in one direction than in the other.

    Args:
        size: the side, odd.
        sigma_x: the std along `angle`, in pixels.
        sigma_y: the std across it, in pixels.
        angle: degrees, counter-clockwise from the horizontal.
    """
    if not (sigma_x > 0 and sigma_y > 0):
        raise ValueError(
            f"operator.kernel.sigma_x={sigma_x!r}, sigma_y={sigma_y!r}; "
            "a Gaussian has widths above 0 pixels"
        )
    along, across = turned_offsets(size, angle)
    return normalise(torch.exp(-0.5 * ((along / sigma_x) ** 2 + (across / sigma_y) ** 2)))


def disk(radius: float = 4.0) -> Tensor:
    """Defocus: a disk of `radius` pixels with a smooth edge."""
    if not radius > 0:
        raise ValueError(f"operator.kernel.radius={radius!r}; defocus has a radius above 0 pixels")

    # The share of a pixel that lies inside, by 8 x 8 samples of it.
    size = 2 * math.ceil(radius) + 1
    fine = (torch.arange(8 * size, dtype=torch.float64) + 0.5) / 8 - size / 2
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).double()
    return normalise(F.avg_pool2d(inside[None, None], 8)[0, 0])


def motion(size: int = 15, angle: float = 45.0) -> Tensor:
    """Straight movement: a line of `size` pixels, odd, at `angle` degrees.

    The angle is counter-clockwise from the horizontal.
    """
    from kornia.filters import get_motion_kernel2d

    if check_side(size) < 3:
        return torch.ones(1, 1)
    return normalise(get_motion_kernel2d(size, float(angle), direction=0.0)[0])


def shake(size: int = 25, intensity: float = 0.5, seed: int = 0) -> Tensor:
    """Camera shake: a random trajectory, drawn on size x size pixels.

    Args:
        size: the side, odd.
        intensity: how fast its direction drifts; 0 is straight.
        seed: of the trajectory.
    """
    generator = torch.Generator().manual_seed(seed)
    steps = 40 * check_side(size)

    # A walk of equal steps, its direction a random walk by itself.
    noise = torch.randn(steps, generator=generator, dtype=torch.float64)
    turns = noise * intensity * math.pi / (2 * size) ** 0.5
    first = 2 * math.pi * torch.rand(1, generator=generator, dtype=torch.float64)
    heading = first + turns.cumsum(0)
    path = torch.stack([heading.sin(), heading.cos()], 1).cumsum(0)

    # Centred, and as large as fits.
    path = path - (path.amax(0) + path.amin(0)) / 2
    path = path * (size / 2 - 1) / path.abs().amax().clamp_min(1e-9) + size // 2

    # Each step lights the four pixels around it, bilinearly.
    kernel, corner = torch.zeros(size + 1, size + 1, dtype=torch.float64), path.floor()
    for i in (0, 1):
        for j in (0, 1):
            weight = (1 - (path - corner - torch.tensor([i, j])).abs()).prod(1)
            at = (corner + torch.tensor([i, j])).long().clamp(0, size)
            kernel.index_put_((at[:, 0], at[:, 1]), weight, accumulate=True)
    return normalise(kernel[:size, :size])
