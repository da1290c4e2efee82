"""A photo in memory: RGB in [0, 1], with what is to follow it to its result."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

SLACK = 1e-3  # by which floats may leave [0, 1]


class Photo(NamedTuple):
    """A picture: pixels [1, 3, H, W] in [0, 1], the std of its rounding in that unit, and what its file said beside."""

    pixels: Tensor
    rounding: float
    alpha: Tensor | None = None  # [1, 1, H, W] in [0, 1]; the pixels are not multiplied by it
    icc: bytes | None = None  # the colour profile that the pixels are meant in; None = sRGB
    exif: bytes | None = None  # without orientation
    grey: bool = False  # its three channels are one
    depth: int = 8  # bits a channel: 8, 16, or 32 for floats


class TooLargeError(Exception):
    """More pixels than are taken."""


class RefusedError(Exception):
    """A picture that is whole, but is not taken; the words follow its name."""


def tensor(values: np.ndarray, channels: int) -> Tensor:
    """[H, W, C] -> [1, channels, H, W], float32."""
    wide = np.array(
        np.broadcast_to(values, (*values.shape[:2], channels)), dtype=np.float32, order="C"
    )
    return torch.from_numpy(wide).permute(2, 0, 1)[None].contiguous()


def checked(values: np.ndarray) -> np.ndarray:
    """Values clipped to [0, 1]; RefusedError where one is NaN, infinite, or further outside than rounding takes it."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RefusedError("holds NaN or infinite pixels; repair it first")
    if low < -SLACK or high > 1 + SLACK:
        raise RefusedError(
            f"holds values from {low:.4g} to {high:.4g}; floats must lie in 0 to 1, so scale it first"
        )
    return values.clip(0, 1)


def turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """[H, W, C] turned as EXIF's orientation says."""
    if orientation in (5, 6, 7, 8):
        values = values.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values
