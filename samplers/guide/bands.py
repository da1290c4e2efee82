"""A picture in parts from fine to coarse, which errors and noise fill unlike.

    z = z_1 + ... + z_n + rest,    z_k = z^(k-1) - L_k z^(k-1),    z^(k) = L_k z^(k-1)

L_k: means over w_k x w_k pixels, interpolated bilinearly. White noise has 1 / w of its std in what
means over w pixels leave, an error that pixels share, as of a picture's light, all of it.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

WIDTHS = (2, 4, 8, 16)


def bands(z: Tensor, widths: Sequence[int] = WIDTHS) -> list[Tensor]:
    """The parts of a picture [B, C, H, W], which add up to it.

    Args:
        z: the picture.
        widths: w, rising; those of more than half a side are left out.
    """
    parts, rest = [], z
    for w in widths:
        if min(z.shape[-2:]) < 2 * w:
            break
        means = F.avg_pool2d(rest, w, ceil_mode=True, count_include_pad=False)
        coarse = F.interpolate(means, size=z.shape[-2:], mode="bilinear", align_corners=False)
        parts.append(rest - coarse)
        rest = coarse
    return [*parts, rest]
