"""Demosaicking by linear filters, for a first picture of what a sensor saw.

bilinear   each colour is the mean of its neighbours, by distance
malvar     the same, corrected by how the colour that is seen differs from its own neighbours:
           H. S. Malvar, L. He, R. Cutler, High-quality linear interpolation for demosaicing of
           Bayer-patterned color images, ICASSP 2004, Fig. 2
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# That figure's taps, times 16: green at red or blue; a colour at green of its row, at green of its
# column (transposed); red at blue and blue at red.
GREEN = [[0, 0, -2, 0, 0], [0, 0, 4, 0, 0], [-2, 4, 8, 4, -2], [0, 0, 4, 0, 0], [0, 0, -2, 0, 0]]
ROW = [[0, 0, 1, 0, 0], [0, -2, 0, -2, 0], [-2, 8, 10, 8, -2], [0, -2, 0, -2, 0], [0, 0, 1, 0, 0]]
CROSS = [[0, 0, -3, 0, 0], [0, 4, 0, 4, 0], [-3, 0, 12, 0, -3], [0, 4, 0, 4, 0], [0, 0, -3, 0, 0]]
TENT = [0, 1, 2, 1, 0]
RADIUS = 2


def malvar(raw: Tensor, filters: Tensor) -> Tensor:
    """Demosaic a Bayer picture by gradient-corrected linear interpolation.

    Args:
        raw: [B, 1, H, W], 3 pixels or more a side.
        filters: [1, 3, H, W], 1 where red, green and blue are seen: greens on a diagonal.

    Returns:
        [B, 3, H, W].
    """
    taps = [torch.tensor(t).to(raw) / 16 for t in (GREEN, ROW, CROSS)]
    at_green, in_row, cross = (correlated(raw, t) for t in taps)
    in_column = correlated(raw, taps[1].T)
    red, green, blue = filters.split(1, 1)

    # A colour at the greens of its own rows, at the others, and at the places of the third one.
    colours = {}
    for name, own, third in (("red", red, blue), ("blue", blue, red)):
        its_row = own.amax(-1, keepdim=True)
        at_greens = its_row * in_row + (1 - its_row) * in_column
        colours[name] = own * raw + third * cross + green * at_greens
    greens = green * raw + (1 - green) * at_green
    return torch.cat([colours["red"], greens, colours["blue"]], 1)


def bilinear(raw: Tensor, filters: Tensor) -> Tensor:
    """Demosaic a picture behind filters of any order; arguments likewise."""
    tent = torch.tensor(TENT).to(raw)
    taps = torch.outer(tent, tent)
    seen = filters.expand(len(raw), -1, -1, -1)
    near = correlated(seen, taps)
    mean = correlated(seen * raw, taps) / torch.where(near > 0, near, 1.0)
    return seen * raw + (1 - seen) * mean


def correlated(p: Tensor, taps: Tensor) -> Tensor:
    """Correlate [B, C, H, W] with 5 x 5 taps; mirrored borders keep the filters' order."""
    flat = F.pad(p, (RADIUS,) * 4, mode="reflect").flatten(0, 1)[:, None]
    return F.conv2d(flat, taps[None, None])[:, 0].unflatten(0, p.shape[:2])
