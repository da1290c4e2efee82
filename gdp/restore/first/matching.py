"""Patches of a picture, which of the known ones are like those of a hole, and what they vote for.

PatchMatch (Barnes et al., SIGGRAPH 2009) over index arithmetic: a picture is a list of rows of
pixels with a border of zero weight, a patch the index of its middle.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 3  # pixels from a patch's middle to its edge
FADING = 0.85  # weight of a pixel against that of one a pixel nearer to what is known
ROUNDS = 6  # of matching and voting at each scale
CHUNK = 2**24  # distances that are held at once
MANY = 2**18  # targets, more of which take their coarser scale's sources as they are
SPREAD = 0.75  # quantile of distances that weighs patches in a vote


class Grid(NamedTuple):
    """A scale's picture, with a border about it, as rows of pixels.

    Attributes:
        x: [N, C].
        weight: [N], of pixels in comparisons; 0 in the border.
        hole: [N], whether it is to be filled.
        sources: indices of the middles of patches that are known.
        targets: indices of those of patches that touch the hole.
        patch: [P], from a middle to the patch's pixels.
        size: height and width, with the border.
    """

    x: Tensor
    weight: Tensor
    hole: Tensor
    sources: Tensor
    targets: Tensor
    patch: Tensor
    size: tuple[int, int]


def grid_of(x: Tensor, known: Tensor) -> Grid:
    """A picture [1, C, H, W] with holes as a grid."""
    from scipy.ndimage import distance_transform_edt

    H, W = known.shape
    depth = torch.from_numpy(distance_transform_edt(~known.numpy())).float()
    pad = (REACH,) * 4
    weight = F.pad(FADING**depth, pad)
    pixels = F.pad(x, pad, mode="replicate")[0]
    Hp, Wp = weight.shape

    # A patch is a source where all of it is known, a target where some of it is not.
    whole = F.pad(known.float(), pad)[None, None]
    least = -F.max_pool2d(-whole, 2 * REACH + 1, 1, REACH)[0, 0]
    inner = F.pad(torch.ones(H, W, dtype=torch.bool), pad)
    touched = F.max_pool2d(F.pad((~known).float(), pad)[None, None], 2 * REACH + 1, 1, REACH)
    reach = torch.arange(-REACH, REACH + 1)
    return Grid(
        pixels.flatten(1).T.contiguous(),
        weight.flatten(),
        F.pad(~known, pad).flatten(),
        ((least > 0) & inner).flatten().nonzero().flatten(),
        ((touched[0, 0] > 0) & inner).flatten().nonzero().flatten(),
        (reach[:, None] * Wp + reach).flatten(),
        (Hp, Wp),
    )


def first_field(grid: Grid) -> Tensor:
    """The best source of every target, by looking at all: [H, W, 2] of (row, column)."""
    S = grid.x[grid.sources[:, None] + grid.patch]
    best = []
    for part in grid.targets.split(max(1, CHUNK // len(grid.sources))):
        at = part[:, None] + grid.patch
        w = grid.weight[at]
        T = grid.x[at] * w[..., None]
        far = w @ S.square().sum(-1).T - 2 * T.flatten(1) @ S.flatten(1).T
        best.append(grid.sources[far.argmin(1)])
    return as_map(grid, torch.cat(best))


def as_map(grid: Grid, best: Tensor) -> Tensor:
    """The sources of targets as a picture [H, W, 2] of rows and columns, without the border."""
    Hp, Wp = grid.size
    index = torch.arange(Hp * Wp)
    index[grid.targets] = best
    rows, columns = index // Wp - REACH, index % Wp - REACH
    whole = torch.stack([rows, columns], -1).view(Hp, Wp, 2)
    return whole[REACH:-REACH, REACH:-REACH]


def finer(field: Tensor, grid: Grid) -> Tensor:
    """A field of twice the size: each pixel has its parent's source, beside it as it is there."""
    H, W = (n - 2 * REACH for n in grid.size)
    rows, columns = torch.arange(H)[:, None], torch.arange(W)[None]
    h, w = field.shape[:2]
    parent = field[(rows // 2).clamp_max(h - 1), (columns // 2).clamp_max(w - 1)]
    own = torch.stack([rows % 2 + 0 * columns, columns % 2 + 0 * rows], -1)
    return 2 * parent + own


def settle(
    grid: Grid, field: Tensor, generator: torch.Generator, last: bool
) -> tuple[Tensor, Tensor]:
    """Match and vote in turn: the picture [1, C, H, W], and the field.

    Args:
        grid: the scale.
        field: sources to begin with, [H, W, 2].
        generator: of what is tried at random.
        last: whether it ends with copies, which are sharper than means.
    """
    Hp, Wp = grid.size
    rows, columns = (field[..., k].clamp_min(0) + REACH for k in (0, 1))
    flat = F.pad((rows * Wp + columns)[None].float(), (REACH,) * 4)[0].long().flatten()
    valid = torch.zeros(Hp * Wp, dtype=torch.bool)
    valid[grid.sources] = True

    best = flat[grid.targets].clamp(0, Hp * Wp - 1)
    lost = ~valid[best]
    some = torch.randint(len(grid.sources), (int(lost.sum()),), generator=generator)
    best[lost] = grid.sources[some]
    rounds = ROUNDS if len(best) <= MANY else 0
    for _ in range(rounds):
        best, far = match(grid, best, valid, generator)
        grid = grid._replace(x=vote(grid, best, far))
    if last or not rounds:
        grid = grid._replace(x=copied(grid, best))

    x = grid.x.T.view(1, -1, Hp, Wp)[..., REACH:-REACH, REACH:-REACH]
    return x, as_map(grid, best)


def match(
    grid: Grid, best: Tensor, valid: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Better sources for all targets: what suits their neighbours, and some at random."""
    Hp, Wp = grid.size
    targets, n = grid.targets, Hp * Wp
    at = targets[:, None] + grid.patch
    w, T = grid.weight[at], grid.x[at]
    w = w / w.sum(1, keepdim=True)

    where = torch.full((n,), -1)
    where[targets] = torch.arange(len(targets))

    def distance(sources: Tensor, rows: Tensor) -> Tensor:
        away = (grid.x[sources[:, None] + grid.patch] - T[rows]).square().sum(-1)
        return (away * w[rows]).sum(1)

    def offer(candidates: Tensor, best: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
        ok = (candidates >= 0) & (candidates < n)
        candidates = candidates.clamp(0, n - 1)
        rows = (ok & valid[candidates] & (candidates != best)).nonzero().flatten()
        d = distance(candidates[rows], rows)
        better, best, far = d < far[rows], best.clone(), far.clone()
        best[rows[better]], far[rows[better]] = candidates[rows[better]], d[better]
        return best, far

    far = distance(best, torch.arange(len(best)))

    # Neighbours' sources, moved as the neighbours lie.
    for step in (8, 4, 2, 1):
        for shift in (step, -step, step * Wp, -step * Wp):
            neighbour = where[(targets + shift).clamp(0, n - 1)]
            moved = torch.where(neighbour >= 0, best[neighbour] - shift, -1)
            best, far = offer(moved, best, far)

    # About the source that is known, ever nearer.
    reach = max(Hp, Wp)
    while reach >= 1:
        offsets = torch.randint(-reach, reach + 1, (2, len(targets)), generator=generator)
        rows, columns = best // Wp + offsets[0], best % Wp + offsets[1]
        inside = (columns >= 0) & (columns < Wp)
        best, far = offer(torch.where(inside, rows * Wp + columns, -1), best, far)
        reach //= 2
    return best, far


def copied(grid: Grid, best: Tensor) -> Tensor:
    """The pixels with those of the hole copied from their own patches' sources."""
    x, middle = grid.x.clone(), grid.hole[grid.targets]
    x[grid.targets[middle]] = grid.x[best[middle]]
    return x


def vote(grid: Grid, best: Tensor, far: Tensor) -> Tensor:
    """The pixels, in the hole the mean of what the sources of all patches about a pixel say.

    Args:
        grid: the scale.
        best: of each target its source.
        far: of each its distance.
    """
    x = grid.x.clone()
    scale = float(far.quantile(SPREAD))
    weight = (-far / max(2 * scale, 1e-6)).exp()
    total, counted = torch.zeros_like(x), x.new_zeros(len(x))
    for k in grid.patch.tolist():
        total.index_add_(0, grid.targets + k, grid.x[best + k] * weight[:, None])
        counted.index_add_(0, grid.targets + k, weight)
    filled = grid.hole & (counted > 0)
    x[filled] = total[filled] / counted[filled, None]
    return x
