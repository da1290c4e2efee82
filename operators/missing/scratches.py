"""Scratches and creases of an old photo, found: thin lines much brighter than what lies on both sides of them.

    top      = y - open(y)                            top-hat by a square of WIDTH pixels
    marked   where it exceeds SURE sigma + PART (the std of close(open(y)) nearby)
    kept are marks in connected pieces that are long and thin, a pixel wider on every side

Dark lines are left alone, since masts and legs are such; so are stains and torn-off parts, which are no lines. Those need a mask by hand.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

WIDTH, SURE, PART, LONG = 5, 4.0, 0.7, 4
MOST = 0.3  # of the picture: more is texture, and nothing is taken for a scratch


def scratched(pixels: Tensor) -> Tensor:
    """1 = keep, 0 = scratch, [1, 1, H, W], for a photo [1, 1 or 3, H, W]."""
    grey = pixels.mean(1, keepdim=True)
    calm = -opened(-opened(grey))
    mean = local_mean(calm)
    uneven = (local_mean(calm.square()) - mean.square()).clamp_min(0).sqrt()
    top = grey - opened(grey)
    sigma = 1.4826 * float(top.median()) + 0.01
    marks = lines(top > SURE * sigma + PART * uneven)
    wide = F.max_pool2d(marks, 3, 1, 1)
    return 1 - wide if wide.mean() < MOST else torch.ones_like(wide)


def opened(grey: Tensor) -> Tensor:
    """Erosion, then dilation, by a square."""
    low = -F.max_pool2d(F.pad(-grey, [WIDTH // 2] * 4, mode="replicate"), WIDTH, 1)
    return F.max_pool2d(F.pad(low, [WIDTH // 2] * 4, mode="replicate"), WIDTH, 1)


def local_mean(z: Tensor) -> Tensor:
    """Over 3 WIDTH pixels a side."""
    return F.avg_pool2d(F.pad(z, [3 * WIDTH // 2] * 4, mode="replicate"), 3 * WIDTH, 1)


def lines(marks: Tensor) -> Tensor:
    """Of `marks` [1, 1, H, W] those in long, thin pieces, as 1 or 0."""
    from scipy import ndimage

    labels, count = ndimage.label(marks[0, 0].cpu().numpy(), structure=np.ones((3, 3)))
    keep = np.zeros(count + 1, dtype=np.float32)
    for i, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        length = max(rows.stop - rows.start, columns.stop - columns.start)
        keep[i] = length >= LONG * WIDTH and (labels[rows, columns] == i).sum() <= length * WIDTH
    return torch.from_numpy(keep[labels])[None, None].to(marks.device)
