"""Blur kernels [h, w]: what a single white pixel becomes. Sides are odd, the sum is 1, the middle is the pixel itself."""

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
        raise ValueError(f"operator.kernel.sigma={sigma!r}; a Gaussian blur needs a width above 0 pixels")
    k = torch.exp(-0.5 * (torch.arange(odd(size), dtype=torch.float64) - size // 2).square() / sigma**2)
    return normalised(torch.outer(k, k))


def motion(size: int = 15, angle: float = 45.0) -> Tensor:
    """A line of `size` pixels at `angle` degrees, counter-clockwise from the horizontal (kornia's)."""
    from kornia.filters import get_motion_kernel2d

    if odd(size) < 3:
        return torch.ones(1, 1)
    return normalised(get_motion_kernel2d(size, float(angle), direction=0.0)[0])


def from_file(path: str) -> Tensor:
    """A kernel from a picture (its brightness) or an .npy array; even sides get a row or column of zeros."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"no kernel file at {path}; operator.kernel= takes a picture or an .npy array")
    try:
        if file.suffix == ".npy":
            array = np.load(file, allow_pickle=False)
        else:
            from PIL import Image

            with Image.open(file) as picture:
                array = np.asarray(picture.convert("F"))
        values = torch.from_numpy(np.asarray(array, dtype=np.float64))
    except (OSError, ValueError, SyntaxError, TypeError) as error:
        raise ValueError(f"{path} cannot be read as a kernel ({error}); give a picture or an .npy array of numbers") from None
    return normalised(values)


def normalised(kernel: Tensor) -> Tensor:
    """The kernel with sum 1 and odd sides, in float32; ValueError where it is none."""
    if kernel.ndim != 2 or kernel.numel() == 0:
        raise ValueError(f"a blur kernel is a 2-D array, got shape {tuple(kernel.shape)}")
    if not kernel.isfinite().all():
        raise ValueError("the blur kernel holds NaN or infinite values; every entry must be a number")
    total = kernel.double().sum()
    if not abs(total) > 1e-8 * kernel.double().abs().sum():
        raise ValueError("the blur kernel sums to zero; it must keep some light (its sum is scaled to 1)")
    h, w = kernel.shape
    padded = torch.nn.functional.pad(kernel.double() / total, (0, 1 - w % 2, 0, 1 - h % 2))
    return padded.float()


def odd(size: int) -> int:
    """A kernel's side: whole, odd, 1 or more."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise ValueError(f"operator.kernel.size={size!r}; a kernel's side is an odd whole number of pixels")
    return size
