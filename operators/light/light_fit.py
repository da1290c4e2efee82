"""Least squares for light: f and M of y = f u + B M, for known u.

    argmin sum n (y - f u - B M)^2 / s^2 + ((f - f_0) / (TAU f_0))^2 + 2 |D M| / (SMOOTH f_0) + (M / (FAINT f_0))^2,  0 <= M <= 1

n is the share of values that count, s the error of u, f_0 the first f. D M are the differences between neighbours on the grid: total
variation, by iterated weights. All is on a small picture of block means, which commute with f and M, so the photo's size does not matter.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

GRID, FINE = 12, 48  # sides of M's grid and of the small picture
TAU, SMOOTH, FAINT = 0.03, 0.02, 0.05  # what f and M are expected to differ by, relative to f
ERROR, LEAST, ALIKE = (
    0.35,
    0.001,
    64,
)  # u's error as a share of its noise, and at the least; how many small pixels err together
ROUNDS = 3  # of weights for the total variation


def fitted(
    u: Tensor, y: Tensor, counts: Tensor, first: Tensor, sigma: float, shared: bool, mask: bool
) -> tuple[Tensor, Tensor]:
    """f [B, 3] and M [B, GRID, GRID] of one exposure, from u, y and `counts` (1 or 0), each [B, 3, H, W] in [0, 1].

    `sigma` is the noise of the picture that u was estimated from; `shared`: one f for all colours.
    """
    n = F.adaptive_avg_pool2d(counts, FINE)
    u, y = (F.adaptive_avg_pool2d(counts * z, FINE) / n.clamp_min(1e-6) for z in (u, y))
    flat = [z.flatten(2).double().cpu() for z in (u, y, n, first[:, :, None])]
    found = [solved(*one, sigma=sigma, shared=shared, mask=mask) for one in zip(*flat, strict=True)]
    return torch.stack([f for f, _ in found]).to(first), torch.stack([M for _, M in found]).to(
        first
    )


def solved(
    u: Tensor, y: Tensor, n: Tensor, first: Tensor, *, sigma: float, shared: bool, mask: bool
) -> tuple[Tensor, Tensor]:
    """f [3] and M [GRID, GRID] from u, y and n [3, FINE^2] and first [3, 1]."""
    B, D = interpolation(), differences()
    level = float(first.mean())
    weight = n / (ALIKE * level**2 * ((ERROR * sigma) ** 2 + LEAST**2))
    columns = torch.ones(3, 1).double() if shared else torch.eye(3).double()  # which f a colour has
    k = columns.shape[1]
    start = columns.T @ first[:, 0] / columns.sum(0)
    ff = columns.T @ torch.diag((weight * u * u).sum(1)) @ columns + torch.diag((TAU * start) ** -2)
    fy = columns.T @ (weight * u * y).sum(1) + 1 / (TAU**2 * start)
    if not mask:
        return columns @ torch.linalg.solve(ff, fy), torch.zeros(GRID, GRID).double()
    fM = columns.T @ (weight * u) @ B
    MM = B.T @ (weight.sum(0)[:, None] * B) + torch.eye(GRID**2).double() / (FAINT * level) ** 2
    right = torch.cat([fy, B.T @ (weight * y).sum(0)])
    size = torch.full((len(D),), SMOOTH * level).double()
    for _ in range(ROUNDS):
        smooth = MM + D.T @ (D / (SMOOTH * level * size)[:, None])
        matrix = torch.cat([torch.cat([ff, fM], 1), torch.cat([fM.T, smooth], 1)])
        found = torch.linalg.solve(matrix, right)
        size = (D @ found[k:]).abs().clamp_min(0.1 * SMOOTH * level)
    return columns @ found[:k], found[k:].clamp(0, 1).view(GRID, GRID)


@cache
def interpolation() -> Tensor:
    """B [FINE^2, GRID^2]."""
    cells = torch.eye(GRID**2).double().view(GRID**2, 1, GRID, GRID)
    return (
        F.interpolate(cells, (FINE, FINE), mode="bilinear", align_corners=False)
        .flatten(1)
        .T.contiguous()
    )


@cache
def differences() -> Tensor:
    """D [2 GRID (GRID - 1), GRID^2]."""
    cells = torch.eye(GRID**2).double().view(GRID**2, GRID, GRID)
    return torch.cat([cells.diff(dim=-1).flatten(1).T, cells.diff(dim=-2).flatten(1).T])
