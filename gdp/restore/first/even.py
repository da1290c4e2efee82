"""Holes in what is even: filled by the smoothest surface through what lies about them.

    x      = argmin |L^k x|^2 over what is not known,  k = 1/2 (harmonic) or 1 (biharmonic),
             L x = what each pixel differs from its neighbours by
    error  = rms of the same fill's error (the worst channel's) over known pixels that it is not
             shown: a rim about the hole, a third as wide as the hole is deep
    share  = (0.025 - error) / 0.01 within 0 and 1, of the k with the smaller error

A sky, a wall or a blurred background is told by its surroundings to a hundredth; a prior knows of
many things that may be in a hole, and draws one. Both constants were chosen on 80 holes in as many
photos: docs/tasks.md has what they give on others. Fills as in Chan & Shen (SIAM J. Appl. Math.
2002); a direct solver of sparse systems does them.
"""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gdp.restore.first.patches import box
from operators.tools.ramp import ramp

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

DEEP = 12.0  # pixels from what is known, from which a hole is left to others
SURE, MOST = 0.015, 0.025  # error up to which all is believed, and from which nothing; [0, 1] units
MARGIN = 8  # pixels about all holes that are looked at
RIM, THINNEST = 1 / 3, 2.0  # of a hole's depth is a rim wide, and pixels at least
LARGEST = 3 * 10**5  # pixels that are solved for, at most
ORDERS = (1, 2)  # 2 k


class Fill(NamedTuple):
    """What a smooth fill says of a picture's holes."""

    picture: Tensor  # [1, C, H, W], as given where it is known
    share: Tensor  # [H, W], 0 to 1: how far to believe it


def even_fill(picture: Tensor, known: Tensor) -> Fill | None:
    """Fill a picture's holes smoothly; None where that tells nothing.

    Args:
        picture: [1, C, H, W] in [0, 1].
        known: [H, W], bool.
    """
    if bool(known.all()) or not bool(known.any()) or int((~known).sum()) > LARGEST:
        return None
    rows, columns = box(known, MARGIN)
    inside = filled_within(picture[..., rows, columns], known[rows, columns])
    if inside is None:
        return None
    fill = Fill(picture.clone(), torch.zeros_like(picture[0, 0]))
    fill.picture[..., rows, columns], fill.share[rows, columns] = inside
    return fill


def filled_within(picture: Tensor, known: Tensor) -> Fill | None:
    """The same, of a picture that is not much larger than what its holes span."""
    from scipy import ndimage

    seen = known.cpu().numpy()
    holes, count = ndimage.label(~seen, np.ones((3, 3)))
    names = np.arange(1, count + 1)
    deep = ndimage.distance_transform_edt(~seen)
    depth = np.concatenate([[0.0], ndimage.maximum(deep, holes, names)])

    # The rim of each hole, in the name of the nearest.
    far, (rows, columns) = ndimage.distance_transform_edt(seen, return_indices=True)
    nearest = holes[rows, columns]
    reach = np.where(depth > DEEP, 0.0, np.maximum(RIM * depth, THINNEST))
    rim = seen & (far <= reach[nearest])
    small = ~seen & (depth[holes] <= DEEP)
    if not small.any() or rim.sum() + small.sum() > LARGEST:
        return None

    # How wrong each fill is there; a hole without a rim is none of ours.
    values = picture[0].permute(1, 2, 0).cpu().double().numpy()
    names = np.intersect1d(names, nearest[rim])
    errors = np.full((len(ORDERS), count + 1), MOST)
    for k, order in enumerate(ORDERS):
        off = np.square(smoothest(values, ~seen | rim, order) - values).max(-1)
        errors[k, names] = np.sqrt(ndimage.mean(off, np.where(rim, nearest, 0), names))
    shares = np.array([ramp(-e, -MOST, -SURE) for e in errors.min(0).tolist()])
    if not shares.any():
        return None

    filled = values
    for k, order in enumerate(ORDERS):
        mine = ~seen & (errors.argmin(0) == k)[holes] & (shares > 0)[holes]
        filled = np.where(mine[..., None], smoothest(values, ~seen, order, mine), filled)
    tensor = partial(torch.as_tensor, dtype=picture.dtype, device=picture.device)
    share = np.where(~seen, shares[holes], 0.0)
    return Fill(tensor(filled).permute(2, 0, 1)[None].clamp(0, 1), tensor(share))


def smoothest(
    values: np.ndarray, unknown: np.ndarray, order: int, wanted: np.ndarray | None = None
) -> np.ndarray:
    """Values [H, W, C] with the smoothest ones where they are unknown [H, W].

    Args:
        values: what is known counts.
        unknown: what does not.
        order: 1 or 2, that of the Laplacian in the equations.
        wanted: [H, W], where; else everywhere.
    """
    from scipy.ndimage import binary_dilation, generate_binary_structure
    from scipy.sparse.linalg import splu

    wanted = unknown if wanted is None else wanted
    if not wanted.any():
        return values
    near = binary_dilation(unknown, generate_binary_structure(2, 1), iterations=order)
    L = laplacian(near)
    M = L if order == 1 else (L @ L).tocsr()

    # M x = 0 where x is unknown; the rest of x goes to the other side.
    here = unknown[near]
    rows = M[np.flatnonzero(here)]
    told = rows[:, np.flatnonzero(~here)] @ values[near][~here]
    solved = splu(rows[:, np.flatnonzero(here)].tocsc()).solve(-told)
    out = values.copy()
    out[unknown] = solved
    return out


def laplacian(near: np.ndarray) -> "csr_matrix":
    """L of the pixels of a mask [H, W] among themselves, [n, n]."""
    from scipy.sparse import coo_matrix, diags

    number = np.full(near.shape, -1)
    number[near] = np.arange(near.sum())
    pairs = []
    for a, b in ((number[:, :-1], number[:, 1:]), (number[:-1], number[1:])):
        both = (a >= 0) & (b >= 0)
        pairs.append(np.stack([a[both], b[both]]))
    i, j = np.concatenate(pairs, 1)
    ones = np.ones(len(i))
    edges = coo_matrix((ones, (i, j)), shape=(near.sum(),) * 2)
    edges = edges + edges.T
    return (diags(np.asarray(edges.sum(1)).ravel()) - edges).tocsr()
