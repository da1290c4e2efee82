"""Stains, tears and bare paper of a toned old photo, found by their colour.

    u        = direction of the mean chroma                    the photo's toning: sepia, yellow ...
    tone(l)  = median of u . chroma of all pixels as light as l
    pale     = tone(luma) - u . chroma                         by how much a pixel has less of it
    stain    pieces of pale > GROWN of the toning's strength, with a core > SURE of it
    paper    what touches a stain and is lighter than the photo's whites away from stains

A toned photo has one colour for each grey. Where its emulsion is torn off, or water has been, there
is less of it; bare paper can have the tone of the whites. Photos in colour have more than one
direction, and grey ones none: they tell nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.tools.rms import rms_of

LEVELS = 24  # of grey, for each of which the tone is found
TONED = 0.05  # rms of chroma, [-1, 1] units, that a toned photo has at least
GREY = 0.02  # rms of chroma up to which a photo is grey, but for its noise
PURE = 0.07  # and the share of it that may lie in other directions
SURE, GROWN = 0.45, 0.22  # of the chroma, by which a stain is paler in its core, and at its rim
WINDOW = 5  # pixels a side over which colours are averaged: noise is no stain
SMALLEST = 25  # pixels of a stain's core
MOST = 0.4  # of the picture: more is no stain
WORTH = 0.005  # share of the picture that is worth a word
AWAY = 24  # pixels from a stain that what lies there is the photo's own
WHITES, LIGHTER = 0.99, 0.02  # share of it that is darker than its whites; and what paper is beyond
FEWEST = 0.1  # share of the picture that has to lie away from stains to tell its whites
OWN, MIXED = 0.2, 0.75  # of the chroma, by which this share of a photo in colour is off its tone


def mask_of_stains(photo: Tensor) -> Tensor:
    """The mask [1, 1, H, W], 1 = keep and 0 = stain, of a photo [1, 1 or 3, H, W] in [-1, 1]."""
    nothing = torch.ones_like(photo[:, :1])
    if photo.shape[1] != 3 or min(photo.shape[-2:]) < 4 * WINDOW:
        return nothing
    luma, chroma = smoothed(photo)
    along, strength, across = toning(chroma)

    # One direction of colour, or it is no toned photo.
    if strength < TONED or across > PURE * strength:
        return nothing

    pale = tone(luma, along) - along
    found = pieces(pale > GROWN * strength, pale > SURE * strength)
    found = with_paper(found, luma).to(photo)
    return 1 - found if found.mean() < MOST else nothing


def stained(photo: Tensor) -> float:
    """The share of stains in a photo that is toned as prints are, warmly; 0 in others.

    Some photos of one colour pass for such, so that nothing is mended without being asked for.
    """
    share = 1 - float(mask_of_stains(photo).mean())
    warm = photo.shape[1] == 3 and float(photo[:, 0].mean() - photo[:, 2].mean()) > 0
    return share if share > WORTH and warm else 0.0


def smoothed(photo: Tensor) -> tuple[Tensor, Tensor]:
    """Luma [H, W] and chroma [3, H, W] of a photo [1, 3, H, W], without its noise."""
    smooth = F.avg_pool2d(F.pad(photo, [WINDOW // 2] * 4, mode="replicate"), WINDOW, 1)[0]
    return smooth.mean(0), smooth - smooth.mean(0)


def toning(chroma: Tensor) -> tuple[Tensor, float, float]:
    """Chroma along its mean direction [H, W], rms of all of it, and of what is across."""
    u = F.normalize(chroma.flatten(1).mean(1), dim=0)[:, None, None]
    along = (u * chroma).sum(0)
    strength = float(chroma.square().sum(0).mean().sqrt())
    return along, strength, float((chroma - along * u).square().sum(0).mean().sqrt())


def has_colours(photo: Tensor) -> bool:
    """Whether a photo [1, 1 or 3, H, W] in [-1, 1] has more colours than one for each grey."""
    if photo.shape[1] != 3 or min(photo.shape[-2:]) < 4 * WINDOW:
        return False
    luma, chroma = smoothed(photo)
    _, strength, across = toning(chroma)
    usual = torch.stack([tone(luma, channel) for channel in chroma])
    off = (chroma - usual).square().sum(0).sqrt().flatten().sort().values
    mixed = float(off[round(MIXED * (len(off) - 1))])
    return strength > TONED and across > PURE * strength and mixed > OWN * strength


def nearly_grey(photo: Tensor, noise: Tensor | float) -> bool:
    """Whether a photo [1, 1 or 3, H, W] in [-1, 1] has no colours, nor a tone, but its noise's.

    Args:
        photo: [1, 1 or 3, H, W].
        noise: its std, a number or [..., H, W] by frequency.
    """
    if photo.shape[1] != 3:
        return True
    chroma = smoothed(photo)[1] if min(photo.shape[-2:]) >= WINDOW else photo[0] - photo[0].mean(0)
    level = rms_of(noise) / WINDOW
    tone = float(chroma.flatten(1).mean(1).norm())
    return tone < GREY and float(chroma.square().sum(0).mean()) < GREY**2 + 2 * level**2


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


def with_paper(found: Tensor, luma: Tensor) -> Tensor:
    """Stains [1, 1, H, W] with the bare paper that touches them; luma [H, W] in [-1, 1]."""
    from scipy import ndimage

    # The photo's whites, as they are away from stains.
    stains = found[0, 0].cpu().numpy()
    if not stains.any():
        return found
    far = torch.from_numpy(~ndimage.binary_dilation(stains, iterations=AWAY)).to(luma.device)
    if far.float().mean() < FEWEST:
        return found
    own = luma[far].sort().values
    white = float(own[round(WHITES * (len(own) - 1))])

    lighter = (luma > white + LIGHTER).cpu().numpy()
    near = ndimage.binary_dilation(stains, iterations=WINDOW)
    labels, count = ndimage.label(lighter)
    touch = ndimage.sum_labels(near, labels, range(count + 1)) > 0
    paper = ndimage.binary_dilation(touch[labels] & lighter, iterations=WINDOW)
    return torch.from_numpy(stains | paper)[None, None].to(found.device)
