"""What holds for blur kernels of every kind: their sides and sum, their axes, a smaller scale.

A kernel k [h, w] is what a single white pixel becomes. Its sides are odd, its sum is 1, and its
middle is the pixel itself.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def normalise(kernel: Tensor) -> Tensor:
    """Scale a kernel [h, w] to the sum 1, in float32; an even side gets a row or column of zeros.

    Raises:
        ValueError: it is no 2-D array of finite numbers, or its sum is zero.
    """
    if kernel.ndim != 2 or kernel.numel() == 0:
        raise ValueError(f"a blur kernel is a 2-D array, got shape {tuple(kernel.shape)}")
    if not kernel.isfinite().all():
        raise ValueError(
            "the blur kernel holds NaN or infinite values; every entry must be a number"
        )

    total = kernel.double().sum()
    if not abs(total) > 1e-8 * kernel.double().abs().sum():
        raise ValueError(
            "the blur kernel sums to zero; it must keep some light (its sum is scaled to 1)"
        )

    h, w = kernel.shape
    return F.pad(kernel.double() / total, (0, 1 - w % 2, 0, 1 - h % 2)).float()


def check_side(size: int, name: str = "operator.kernel.size") -> int:
    """A kernel's side: a whole and odd number, 1 or more; ValueError for anything else."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise ValueError(f"{name}={size!r}; a kernel's side is an odd whole number of pixels")
    return size


def offsets(size: int) -> tuple[Tensor, Tensor]:
    """Row and column distances [size, size] from the middle, in pixels."""
    d = torch.arange(check_side(size), dtype=torch.float64) - size // 2
    y, x = torch.meshgrid(d, d, indexing="ij")
    return y, x


def turned_offsets(size: int, angle: float) -> tuple[Tensor, Tensor]:
    """Distances [size, size] from the middle along a direction and across it, in pixels.

    The direction is `angle` degrees counter-clockwise from the horizontal.
    """
    y, x = offsets(size)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return c * x - s * y, s * x + c * y


def shrink_kernel(kernel: Tensor, r: int) -> Tensor:
    """The kernel [h, w] at 1 / r of its size; its sum and its centroid stay.

    Every tap is shared by its two neighbours on the coarse grid, in each direction.
    """

    def shares(n: int) -> Tensor:
        reach = -(-(n // 2) // r)
        place = (torch.arange(n, dtype=torch.float64) - n // 2) / r
        return (1 - (torch.arange(-reach, reach + 1)[:, None] - place).abs()).clamp_min(0)

    rows, columns = map(shares, kernel.shape)
    return (rows @ kernel.cpu().double() @ columns.T).to(kernel)


def without_specks(kernel: Tensor, speck: float) -> Tensor:
    """A kernel [h, h] without entries below a share of its peak; of sum 1, in the middle."""
    kernel = torch.where(kernel < speck * kernel.amax(), 0.0, kernel)
    return centre(kernel / kernel.sum())


def centre(kernel: Tensor) -> Tensor:
    """The kernel [h, h] with its centroid in the middle pixel, rolled over the edges."""
    place = torch.arange(len(kernel)).to(kernel) - len(kernel) // 2
    down, across = (round(float((kernel.sum(axis) * place).sum())) for axis in (1, 0))
    return kernel.roll((-down, -across), (0, 1))


def likeness(k: Tensor, other: Tensor) -> float:
    """The largest correlation of two kernels over all shifts, of length 1 each: 0 to 1."""
    sides = [a + b for a, b in zip(k.shape, other.shape, strict=True)]
    product = torch.fft.rfft2(k, s=sides) * torch.fft.rfft2(other, s=sides).conj()
    return float(torch.fft.irfft2(product, s=sides).max() / (k.norm() * other.norm()))


def principal_axes(kernel: Tensor) -> tuple[float, float, float]:
    """The axes of the ellipse that a kernel [h, w] of sum 1 is like, by its second moments.

    Returns:
        The std along the longest axis and the std across, in pixels, and the angle of that axis
        in degrees, counter-clockwise from the horizontal.
    """
    k = kernel.cpu().double()
    down, across = (torch.arange(n, dtype=torch.float64) - n // 2 for n in k.shape)
    places = torch.stack([across.expand(k.shape), -down[:, None].expand(k.shape)])

    centre = (k * places).sum((1, 2), keepdim=True)
    covariance = torch.einsum("hw,ihw,jhw->ij", k, places - centre, places - centre)

    (least, most), directions = torch.linalg.eigh(covariance)
    angle = math.degrees(math.atan2(float(directions[1, 1]), float(directions[0, 1]))) % 180
    return float(most.clamp_min(0)) ** 0.5, float(least.clamp_min(0)) ** 0.5, angle
