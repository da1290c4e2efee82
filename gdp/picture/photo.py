"""A photo in memory: RGB in [0, 1], with what is to follow it to its result."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

SLACK = 1e-3  # by which floats may leave [0, 1]


class Photo(NamedTuple):
    """A picture, and what its file said beside its colours.

    Attributes:
        pixels: [1, 3, H, W] in [0, 1].
        rounding: std of the rounding of its values, [0, 1] units; 0 for floats.
        alpha: transparency [1, 1, H, W] in [0, 1]; the pixels are not multiplied by it.
        icc: the colour profile that the pixels are meant in; None is sRGB.
        exif: camera, date and the like, without orientation.
        grey: whether its three channels are one.
        depth: bits a channel: 8, 16, or 32 for floats.
        stops: of a scene's exposures, by their files, in stops from anywhere.
        measured: `pixels` are no picture but a measurement of any shape, in its operator's units.
    """

    pixels: Tensor
    rounding: float
    alpha: Tensor | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    grey: bool = False
    depth: int = 8
    measured: bool = False
    stops: tuple[float, ...] | None = None


class TooLargeError(Exception):
    """More pixels than are taken."""


class RefusedError(Exception):
    """A picture that is whole, but is not taken; the words follow its name."""


def to_tensor(values: np.ndarray, channels: int) -> Tensor:
    """An array [H, W, C] as a float32 tensor [1, channels, H, W]; C is `channels` or 1."""
    wide = np.array(
        np.broadcast_to(values, (*values.shape[:2], channels)), dtype=np.float32, order="C"
    )
    return torch.from_numpy(wide).permute(2, 0, 1)[None].contiguous()


def clip(values: np.ndarray, any_scale: bool = False) -> np.ndarray:
    """Clip values to [0, 1]; with `any_scale` those that go to 255 or 65535 are divided by that.

    Raises:
        RefusedError: one is NaN or infinite, or lies further outside than rounding takes it.
    """
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RefusedError("holds NaN or infinite pixels; repair it first")
    if any_scale and high > 1 + SLACK:
        white = next((white for white in (255.0, 65535.0) if high <= white), 1.0)
        values, low, high = values / white, low / white, high / white
    if low < -SLACK or high > 1 + SLACK:
        raise RefusedError(
            f"holds values from {low:.4g} to {high:.4g}; "
            "floats must lie in 0 to 1, so scale it first"
        )

    return values.clip(0, 1)
