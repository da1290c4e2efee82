"""The two scales of pixels: models see [-1, 1]; light, files and camera curves live in [0, 1]."""

from torch import Tensor


def to_pixels(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], unclipped."""
    return (x + 1) / 2


def to_model(p: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1], unclipped."""
    return 2 * p - 1
