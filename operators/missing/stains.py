"""Stains, tears and bare paper of a toned old photo, found by their colour.

    u        = direction of the mean chroma                    the photo's toning: sepia, yellow ...
    tone(l)  = median of u . chroma of all pixels as light as l
    pale     = tone(luma) - u . chroma                         by how much a pixel has less of it
    stain    pieces of pale > GROWN of the toning's strength, with a core > SURE of it

A toned photo has one colour for each grey. Where its emulsion is torn off, or water has been, there
is less of it. Photos in colour have more than one direction, and grey ones none: they tell nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 24  # of grey, for each of which the tone is found
TONED = 0.05  # rms of chroma, [-1, 1] units, that a toned photo has at least
PURE = 0.07  # and the share of it that may lie in other directions
SURE, GROWN = 0.45, 0.22  # of the chroma, by which a stain is paler in its core, and at its rim
WINDOW = 5  # pixels a side over which colours are averaged: noise is no stain
SMALLEST = 25  # pixels of a stain's core
MOST = 0.4  # of the picture: more is no stain


def mask_of_stains(photo: Tensor) -> Tensor:
    """The mask [1, 1, H, W], 1 = keep and 0 = stain, of a photo [1, 1 or 3, H, W] in [-1, 1]."""
    nothing = torch.ones_like(photo[:, :1])
    if photo.shape[1] != 3 or min(photo.shape[-2:]) < 4 * WINDOW:
        return nothing
    smooth = F.avg_pool2d(F.pad(photo, [WINDOW // 2] * 4, mode="replicate"), WINDOW, 1)[0]
    luma = smooth.mean(0)
    chroma = smooth - luma

    # One direction of colour, or it is no toned photo.
    u = F.normalize(chroma.flatten(1).mean(1), dim=0)[:, None, None]
    along = (u * chroma).sum(0)
    strength = float(chroma.square().sum(0).mean().sqrt())
    across = float((chroma - along * u).square().sum(0).mean().sqrt())
    if strength < TONED or across > PURE * strength:
        return nothing

    pale = tone(luma, along) - along
    found = pieces(pale > GROWN * strength, pale > SURE * strength).to(photo)
    return 1 - found if found.mean() < MOST else nothing


def tone(luma: Tensor, along: Tensor) -> Tensor:
    """How much of its colour a toned photo has at its luma, [H, W] both."""
    edges = luma.flatten().sort().values
    edges = edges[torch.linspace(0, len(edges) - 1, LEVELS + 1).long()[1:-1].to(edges.device)]
    level = torch.bucketize(luma, edges)
    of_levels = [
        along[level == k].median() if (level == k).any() else along.new_zeros(())
        for k in range(LEVELS)
    ]
    return torch.stack(of_levels)[level]


def pieces(marks: Tensor, cores: Tensor) -> Tensor:
    """Of marks [H, W] the pieces with a core, without holes and a bit wider: [1, 1, H, W]."""
    from scipy import ndimage

    marked = marks.cpu().numpy()
    closed = ndimage.binary_closing(marked, iterations=WINDOW) | marked
    labels, count = ndimage.label(ndimage.binary_fill_holes(closed))
    sizes = ndimage.sum_labels(cores.cpu().numpy(), labels, range(count + 1))
    kept = (sizes >= SMALLEST)[labels] & (labels > 0)
    wider = ndimage.binary_dilation(kept, iterations=WINDOW)
    return torch.from_numpy(wider)[None, None].to(marks.device)
