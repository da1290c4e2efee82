"""Transparency: it waits beside a photo while the colours are restored, then joins the result.

Everywhere here alpha is [1, 1, H, W] in [0, 1], and colours are not multiplied by it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def fill_transparent(pixels: Tensor, alpha: Tensor) -> Tensor:
    """Continue the visible colours under what is fully transparent.

    Whatever a file hides there then tells the network nothing. Averages of 2x2, 4x4, ... pixels
    fill from fine to coarse; where nothing at all is visible it is mid grey.

    Args:
        pixels: [1, C, H, W] in [0, 1].
        alpha: [1, 1, H, W] in [0, 1].

    Returns:
        [1, C, H, W]; pixels that are visible at all are unchanged.
    """
    if bool((alpha > 0).all()):
        return pixels

    # Sums of visible colours, each level at half the size of the one before.
    levels = [(pixels * alpha, alpha)]
    while max(levels[-1][1].shape[-2:]) > 1:
        sums, weights = (F.avg_pool2d(part, 2, ceil_mode=True) for part in levels[-1])
        levels.append((sums, weights))

    # From coarse to fine, each level fills what the finer one does not know.
    colours = torch.full_like(levels[-1][0], 0.5)
    for sums, weights in reversed(levels):
        behind = F.interpolate(colours, sums.shape[-2:], mode="bilinear", align_corners=False)
        colours = torch.where(weights > 0, sums / weights.clamp_min(1e-12), behind)

    return torch.where(alpha > 0, pixels, colours)


def extend_alpha(alpha: Tensor, frame: tuple[int, int, int, int] | None) -> Tensor:
    """Surround transparency with an opaque frame, as what outpainting adds is visible.

    Args:
        alpha: [1, 1, H, W] in [0, 1].
        frame: pixels at the left, right, top and bottom; None for no frame.
    """
    return alpha if frame is None else F.pad(alpha, frame, value=1.0)


def resize_alpha(alpha: Tensor, height: int, width: int) -> Tensor:
    """Resize transparency smoothly to [1, 1, height, width]."""
    if alpha.shape[-2:] == (height, width):
        return alpha
    return F.interpolate(
        alpha, (height, width), mode="bicubic", align_corners=False, antialias=True
    ).clamp(0, 1)


def on_white(pixels: Tensor, alpha: Tensor) -> Tensor:
    """The picture as it looks on white paper."""
    return alpha * pixels + (1 - alpha)
