"""Transparency: kept beside a photo while its colours are restored, and put back on the result. alpha is [1, 1, H, W] in [0, 1]."""

import torch
import torch.nn.functional as F
from torch import Tensor


def spread(pixels: Tensor, alpha: Tensor) -> Tensor:
    """Pixels [1, C, H, W] in which visible colours go on under what is fully transparent; mid grey where nothing is visible.

    Whatever a file hides there then tells the network nothing. Averages of 2x2, 4x4, ... pixels fill from fine to coarse.
    """
    if bool((alpha > 0).all()):
        return pixels
    levels = [(pixels * alpha, alpha)]
    while max(levels[-1][1].shape[-2:]) > 1:
        sums, weights = (F.avg_pool2d(part, 2, ceil_mode=True) for part in levels[-1])
        levels.append((sums, weights))
    colours = torch.full_like(levels[-1][0], 0.5)
    for sums, weights in reversed(levels):
        behind = F.interpolate(colours, sums.shape[-2:], mode="bilinear", align_corners=False)
        colours = torch.where(weights > 0, sums / weights.clamp_min(1e-12), behind)
    return torch.where(alpha > 0, pixels, colours)


def framed(alpha: Tensor, frame: tuple[int, int, int, int] | None) -> Tensor:
    """`alpha` with an opaque frame of so many pixels at the left, right, top and bottom: what outpainting adds is visible."""
    return alpha if frame is None else F.pad(alpha, frame, value=1.0)


def fitted(alpha: Tensor, height: int, width: int) -> Tensor:
    """`alpha` smoothly resized."""
    if alpha.shape[-2:] == (height, width):
        return alpha
    return F.interpolate(
        alpha, (height, width), mode="bicubic", align_corners=False, antialias=True
    ).clamp(0, 1)


def on_white(pixels: Tensor, alpha: Tensor) -> Tensor:
    """The picture as it looks on white paper."""
    return alpha * pixels + (1 - alpha)
