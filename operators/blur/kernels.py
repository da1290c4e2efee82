"""Blur kernels [h, w]: what a single white pixel becomes. Sides are odd, the sum is 1, the middle is the pixel itself."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def uniform(size: int = 9) -> Tensor:
    """A size x size square."""
    return normalised(torch.ones(odd(size), size))


def gaussian(size: int = 9, sigma: float = 2.0) -> Tensor:
    """An isotropic Gaussian of std `sigma` pixels, cut to size x size."""
    if not sigma > 0:
        raise ValueError(
            f"operator.kernel.sigma={sigma!r}; a Gaussian blur needs a width above 0 pixels"
        )
    k = torch.exp(
        -0.5 * (torch.arange(odd(size), dtype=torch.float64) - size // 2).square() / sigma**2
    )
    return normalised(torch.outer(k, k))


def anisotropic(
    size: int = 15, sigma_x: float = 4.0, sigma_y: float = 1.0, angle: float = 30.0
) -> Tensor:
    """A Gaussian of std `sigma_x` along `angle` (degrees, counter-clockwise from the horizontal) and `sigma_y` across it."""
    if not (sigma_x > 0 and sigma_y > 0):
        raise ValueError(
            f"operator.kernel.sigma_x={sigma_x!r}, sigma_y={sigma_y!r}; a Gaussian has widths above 0 pixels"
        )
    y, x = offsets(size)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along, across = c * x - s * y, s * x + c * y
    return normalised(torch.exp(-0.5 * ((along / sigma_x) ** 2 + (across / sigma_y) ** 2)))


def disk(radius: float = 4.0) -> Tensor:
    """Defocus: a disk of `radius` pixels with a smooth edge, by 8 x 8 samples a pixel."""
    if not radius > 0:
        raise ValueError(f"operator.kernel.radius={radius!r}; defocus has a radius above 0 pixels")
    size = 2 * math.ceil(radius) + 1
    fine = (torch.arange(8 * size, dtype=torch.float64) + 0.5) / 8 - size / 2
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).double()
    return normalised(torch.nn.functional.avg_pool2d(inside[None, None], 8)[0, 0])


def shake(size: int = 25, intensity: float = 0.5, seed: int = 0) -> Tensor:
    """Camera shake: a random trajectory whose direction drifts, the faster the higher `intensity` (0 is straight), drawn by `seed`."""
    generator = torch.Generator().manual_seed(seed)
    steps = 40 * odd(size)
    turns = (
        torch.randn(steps, generator=generator, dtype=torch.float64)
        * intensity
        * math.pi
        / (2 * size) ** 0.5
    )
    heading = 2 * math.pi * torch.rand(1, generator=generator, dtype=torch.float64) + turns.cumsum(
        0
    )
    path = torch.stack([heading.sin(), heading.cos()], 1).cumsum(0)
    path = path - (path.amax(0) + path.amin(0)) / 2
    path = path * (size / 2 - 1) / path.abs().amax().clamp_min(1e-9) + size // 2
    kernel, corner = torch.zeros(size + 1, size + 1, dtype=torch.float64), path.floor()
    for i in (0, 1):
        for j in (0, 1):
            weight = (1 - (path - corner - torch.tensor([i, j])).abs()).prod(1)
            at = (corner + torch.tensor([i, j])).long().clamp(0, size)
            kernel.index_put_((at[:, 0], at[:, 1]), weight, accumulate=True)
    return normalised(kernel[:size, :size])


def motion(size: int = 15, angle: float = 45.0) -> Tensor:
    """A line of `size` pixels at `angle` degrees, counter-clockwise from the horizontal (kornia's)."""
    from kornia.filters import get_motion_kernel2d

    if odd(size) < 3:
        return torch.ones(1, 1)
    return normalised(get_motion_kernel2d(size, float(angle), direction=0.0)[0])


def from_file(path: str) -> Tensor:
    """A kernel from a picture (its brightness), an .npy array or a .mat file; even sides get a row or column of zeros."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(
            f"no kernel file at {path}; operator.kernel= takes a picture, .npy or .mat file"
        )
    try:
        if file.suffix == ".npy":
            array = np.load(file, allow_pickle=False)
        elif file.suffix == ".mat":
            array = largest_matrix(file)
        else:
            from PIL import Image

            with Image.open(file) as picture:
                array = np.asarray(picture.convert("F"))
        values = torch.from_numpy(np.asarray(array, dtype=np.float64))
    except (OSError, ValueError, SyntaxError, TypeError) as error:
        raise ValueError(
            f"{path} cannot be read as a kernel ({error}); give a picture, .npy or .mat file of numbers"
        ) from None
    return normalised(values)


def largest_matrix(file: Path) -> np.ndarray:
    """The largest 2-D array of numbers in a Matlab file."""
    from scipy.io import loadmat

    arrays = [
        a
        for a in loadmat(file).values()
        if isinstance(a, np.ndarray) and a.ndim == 2 and a.dtype.kind in "fiu"
    ]
    if not arrays:
        raise ValueError("no matrix of numbers inside")
    return max(arrays, key=lambda a: a.size)


def offsets(size: int) -> tuple[Tensor, Tensor]:
    """Row and column distances [size, size] from the middle."""
    d = torch.arange(odd(size), dtype=torch.float64) - size // 2
    y, x = torch.meshgrid(d, d, indexing="ij")
    return y, x


def normalised(kernel: Tensor) -> Tensor:
    """The kernel with sum 1 and odd sides, in float32; ValueError where it is none."""
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
    padded = torch.nn.functional.pad(kernel.double() / total, (0, 1 - w % 2, 0, 1 - h % 2))
    return padded.float()


def shrunk_kernel(kernel: Tensor, r: int) -> Tensor:
    """The kernel at 1 / r of its size: every tap is shared by its two neighbours in each direction, so sum and centroid stay."""

    def sharing(n: int) -> Tensor:
        reach = -(-(n // 2) // r)
        place = (torch.arange(n, dtype=torch.float64) - n // 2) / r
        return (1 - (torch.arange(-reach, reach + 1)[:, None] - place).abs()).clamp_min(0)

    rows, columns = (sharing(n).to(kernel.device) for n in kernel.shape)
    return (rows @ kernel.double() @ columns.T).to(kernel)


def principal_axes(kernel: Tensor) -> tuple[float, float, float]:
    """Of a kernel [h, w] of sum 1: its std along the longest axis and across, in pixels; that axis' angle, counter-clockwise."""
    k = kernel.double().cpu()
    down, across = (torch.arange(n, dtype=torch.float64) - n // 2 for n in k.shape)
    places = torch.stack([across.expand(k.shape), -down[:, None].expand(k.shape)])
    centre = (k * places).sum((1, 2), keepdim=True)
    covariance = torch.einsum("hw,ihw,jhw->ij", k, places - centre, places - centre)
    (least, most), directions = torch.linalg.eigh(covariance)
    angle = math.degrees(math.atan2(float(directions[1, 1]), float(directions[0, 1]))) % 180
    return float(most.clamp_min(0)) ** 0.5, float(least.clamp_min(0)) ** 0.5, angle


def odd(size: int, name: str = "operator.kernel.size") -> int:
    """A kernel's side: whole, odd, 1 or more."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise ValueError(f"{name}={size!r}; a kernel's side is an odd whole number of pixels")
    return size
