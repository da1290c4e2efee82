"""Transparency: it waits beside a photo while the colours are restored, then joins the result.

Everywhere here alpha is [1, 1, H, W] in [0, 1], and colours are not multiplied by it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

ROUNDS = 8  # of mirroring: what is known then reaches 256 times as far as it did


def fill_transparent(pixels: Tensor, alpha: Tensor) -> Tensor:
    """Continue the picture under what is fully transparent, as a mirror image of what is visible.

    Whatever a file hides there then tells the network nothing, and what is filled in has the noise,
    the softness and the light of the rest, which are looked for all over a picture. Where nothing
    at all is visible it is mid grey.

    Args:
        pixels: [1, C, H, W] in [0, 1].
        alpha: [1, 1, H, W] in [0, 1].

    Returns:
        [1, C, H, W]; pixels that are visible at all are unchanged.
    """
    hidden = alpha[0, 0] <= 0
    if not bool(hidden.any()):
        return pixels
    if bool(hidden.all()):
        return torch.full_like(pixels, 0.5)
    rows, columns = mirrored(~hidden)
    return torch.where(hidden, pixels[..., rows, columns], pixels)


def mirrored(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns [H, W] of the pixel that each is a mirror image of.

    Args:
        seen: which pixels are known, [H, W], at least one; they are their own images.
    """
    from scipy.ndimage import distance_transform_edt

    H, W = seen.shape
    here = torch.stack(torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij"))
    source, known = here.clone(), seen.cpu()
    for i in range(ROUNDS):
        if bool(known.all()):
            break
        found = distance_transform_edt(~known, return_distances=False, return_indices=True)
        nearest = torch.from_numpy(found).long()

        # As far behind the nearest known pixel as this one is before it; in the end, that pixel.
        behind = 2 * nearest - here
        inside = (behind[0] >= 0) & (behind[0] < H) & (behind[1] >= 0) & (behind[1] < W)
        behind = torch.where(inside, behind, nearest)
        fits = known[behind[0], behind[1]] & (inside | (i == ROUNDS - 1))
        new = ~known & fits
        if not bool(new.any()):
            behind, new = nearest, ~known
        source = torch.where(new, source[:, behind[0], behind[1]], source)
        known = known | new
    rows, columns = source.to(seen.device)
    return rows, columns


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
