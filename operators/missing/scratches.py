"""Scratches and creases of an old photo, found: thin lines much brighter than what is beside them.

    open     erosion, then dilation, by a square of SQUARE pixels
    top      = y - open(y)                                          white top-hat
    marks    where top > NOISE sigma + TEXTURE std of close(open(y)) nearby
    scratch  marks in connected pieces that are long and thin, a pixel wider on every side

Dark lines are left alone, since masts and legs are such; so are stains and torn-off parts, which
are no lines. Those need a mask by hand.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SQUARE = 5  # pixels a side: wider lines are not found
NOISE = 4.0  # std of noise that a mark stands out by
TEXTURE = 0.7  # and std of the picture nearby
LENGTH = 4  # of a piece, in sides of the square, at least
MOST = 0.3  # of the picture: more is texture, and nothing is taken for a scratch


def mask_of_scratches(photo: Tensor) -> Tensor:
    """The mask [1, 1, H, W], 1 = keep and 0 = scratch, of a photo [1, 1 or 3, H, W]."""
    grey = photo.mean(1, keepdim=True)
    top = grey - opened(grey)

    # Bright lines stand out from noise, and from the texture around them.
    calm = -opened(-opened(grey))
    mean = local_mean(calm)
    texture = (local_mean(calm.square()) - mean.square()).clamp_min(0).sqrt()
    sigma = 1.4826 * float(top.median()) + 0.01
    marks = lines(top > NOISE * sigma + TEXTURE * texture)

    wide = F.max_pool2d(marks, 3, 1, 1)
    return 1 - wide if wide.mean() < MOST else torch.ones_like(wide)


def opened(grey: Tensor) -> Tensor:
    """Erosion, then dilation, by the square."""
    low = -F.max_pool2d(F.pad(-grey, [SQUARE // 2] * 4, mode="replicate"), SQUARE, 1)
    return F.max_pool2d(F.pad(low, [SQUARE // 2] * 4, mode="replicate"), SQUARE, 1)


def local_mean(z: Tensor) -> Tensor:
    """The mean over three squares a side."""
    return F.avg_pool2d(F.pad(z, [3 * SQUARE // 2] * 4, mode="replicate"), 3 * SQUARE, 1)


def lines(marks: Tensor) -> Tensor:
    """Of marks [1, 1, H, W], those in long and thin pieces, as 1 or 0."""
    from scipy import ndimage

    labels, count = ndimage.label(marks[0, 0].cpu().numpy(), structure=np.ones((3, 3)))
    keep = np.zeros(count + 1, dtype=np.float32)
    for i, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        length = max(rows.stop - rows.start, columns.stop - columns.start)
        thin = (labels[rows, columns] == i).sum() <= length * SQUARE
        keep[i] = length >= LENGTH * SQUARE and thin
    return torch.from_numpy(keep[labels])[None, None].to(marks.device)
