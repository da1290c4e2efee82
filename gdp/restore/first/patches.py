"""Large holes filled with patches of the same photo: a first guess that has its texture.

    for scales from coarse to fine, and at each a few times:
        s(t) = argmin over known patches s of  sum_k w(t + k) |x(t + k) - x(s + k)|^2
        x(p) = mean over k of x(s(p - k) + k), each by how well its patch fits

The patch next to s(t) is a good one for t's neighbour, which is how they are found (PatchMatch;
Barnes et al., SIGGRAPH 2009); the two lines are those of Wexler, Shechtman & Irani (TPAMI 2007).
Pixels count less, the deeper they lie in the hole.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.restore.first.matching import finer, first_field, grid_of, settle

THIN = 2.0  # pixels of radius of the hole at the coarsest scale
AROUND = 1.0  # of the hole's extent, what lies about it and is searched
LEAST_AROUND = 48  # pixels, of the same


def radius(known: Tensor) -> float:
    """The radius in pixels of the largest disc in what is not known, of a mask [H, W]."""
    from scipy.ndimage import distance_transform_edt

    return float(distance_transform_edt(~known.cpu().numpy()).max())


def fill(x: Tensor, known: Tensor, seed: int = 0) -> Tensor | None:
    """Fill a picture's holes with patches of what is known.

    Args:
        x: [1, C, H, W], on the CPU.
        known: [H, W], bool, likewise.
        seed: of what is tried at random.

    Returns:
        The picture; None where too little is known to take patches from.
    """
    rows, columns = box(known)
    small, inside = x[..., rows, columns], known[rows, columns]
    generator = torch.Generator().manual_seed(seed)

    # Coarse to fine, as long as there are patches.
    levels = max(0, int(torch.tensor(radius(inside) / THIN).log2().ceil()))
    field = filled = None
    for level in reversed(range(levels + 1)):
        picture, there = shrunk(small, inside, 2**level)
        if filled is None:
            guess = onion(picture, there)
        else:
            guess = F.interpolate(filled, picture.shape[-2:], mode="bicubic", align_corners=False)
        grid = grid_of(torch.where(there, picture, guess), there)
        if len(grid.sources) < len(grid.patch):
            continue
        field = first_field(grid) if field is None else finer(field, grid)
        filled, field = settle(grid, field, generator, last=level == 0)
    if filled is None or filled.shape[-2:] != small.shape[-2:]:
        return None

    out = x.clone()
    out[..., rows, columns] = torch.where(inside, small, filled.to(x))
    return out


def box(known: Tensor, margin: int | None = None) -> tuple[slice, slice]:
    """The rows and columns about the holes [H, W], by so many pixels or as patches are sought."""
    sides = []
    for axis in (1, 0):
        empty = (~known).any(axis).nonzero().flatten()
        low, high = int(empty.min()), int(empty.max()) + 1
        around = max(LEAST_AROUND, round(AROUND * (high - low))) if margin is None else margin
        sides.append(slice(max(0, low - around), min(known.shape[1 - axis], high + around)))
    return sides[0], sides[1]


def shrunk(x: Tensor, known: Tensor, r: int) -> tuple[Tensor, Tensor]:
    """The means of what is known in each r x r pixels, and where half of them are known."""
    mask = known.to(x)[None, None]
    share = F.avg_pool2d(mask, r, ceil_mode=True)
    mean = F.avg_pool2d(x * mask, r, ceil_mode=True) / share.clamp_min(1e-6)
    return mean, (share >= 0.5)[0, 0]


def onion(x: Tensor, known: Tensor) -> Tensor:
    """A smooth first filling: each pixel the mean of its known neighbours, from the rim inwards."""
    mask = known.to(x)[None, None]
    out = x * mask
    while not bool((mask > 0).all()):
        share = F.avg_pool2d(mask, 3, 1, 1)
        mean = F.avg_pool2d(out * mask, 3, 1, 1) / share.clamp_min(1e-6)
        new = (mask == 0) & (share > 0)
        if not bool(new.any()):
            return out
        out, mask = torch.where(new, mean, out), torch.maximum(mask, new.to(mask))
    return out
