"""Least squares for light: f and M of y = f u + B M, for known u.

argmin  sum n (y - f u - B M)^2 / s^2        n: the share of values that count, s: the error of u
        + ((f - f_0) / (tau f_0))^2          f_0: the first f
        + 2 |D (M - M_0)| / (smooth f_0)     D: differences between neighbours on M's grid
        + ((M - M_0) / (faint f_0))^2        0 <= M <= 1, M_0: the first M, whose own differences
                                             cost nothing: where x0 tells little it stays as it is

tau is the less the more x0 has of y's noise, which the network cuts at black and white and so makes
brighter: by its variance, noise^2 / f_0^2, which all places share. Of an f that is found with the
precision P f may then go tau / (1 + P noise^4 / f_0^4)^0.5 only.

B interpolates M. The third term is total variation, by iterated weights: |d| is d^2 / |d| with
the |d| of the round before. All is on a small picture of block means, which commute with f and M,
so the photo's size does not matter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.light.stray.dark_level import interpolation


@dataclass(frozen=True)
class LightFit:
    """Fits f and M to one exposure, in [0, 1] units.

    Attributes:
        grid: side of M's grid.
        fine: side of the small picture.
        tau: std expected of f about f_0, relative to f_0.
        smooth: size expected of the differences of M - M_0, relative to f_0.
        faint: size expected of M - M_0, relative to f_0.
        error: the error of u, as a share of the noise of the picture it was estimated from.
        least: the error of u without noise.
        alike: how many small pixels err together.
        rounds: of weights for the total variation.
    """

    grid: int = 12
    fine: int = 48
    tau: float = 0.03
    smooth: float = 0.02
    faint: float = 0.05
    error: float = 0.35
    least: float = 0.001
    alike: int = 64
    rounds: int = 3

    def __call__(
        self,
        u: Tensor,
        y: Tensor,
        counts: Tensor,
        first: Tensor,
        stray: Tensor,
        *,
        sigma: float,
        shared: bool,
        mask: bool,
        noise: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """f and M of one exposure.

        Args:
            u: [B, 3, H, W].
            y: [B, 3, H, W].
            counts: [B, 3, H, W], 1 where a value counts and 0 elsewhere.
            first: f_0 [B, 3].
            stray: M_0 [B, 1 or 3, grid, grid], one for all colours or one for each.
            sigma: std of the noise in the picture that u was estimated from.
            shared: one f for all colours.
            mask: whether there is an M; it is 0 otherwise.
            noise: std of y's noise.

        Returns:
            f [B, 3] and M as M_0 is.
        """
        n = F.adaptive_avg_pool2d(counts, self.fine)
        u, y = (F.adaptive_avg_pool2d(counts * z, self.fine) / n.clamp_min(1e-6) for z in (u, y))

        # Small systems: fastest, and exact enough, in double precision on the CPU.
        flat = [z.flatten(2).cpu().double() for z in (u, y, n, first[:, :, None], stray)]
        solve = partial(self.solve, sigma=sigma, mask=mask, noise=noise)
        images = [by_colour(solve, shared, *image) for image in zip(*flat, strict=True)]
        f, M = (torch.stack(part) for part in zip(*images, strict=True))
        return f.to(first), M.to(stray).view_as(stray)

    def solve(
        self,
        u: Tensor,
        y: Tensor,
        n: Tensor,
        first: Tensor,
        stray: Tensor,
        *,
        shared: bool,
        sigma: float,
        mask: bool,
        noise: float,
    ) -> tuple[Tensor, Tensor]:
        """f [c] and M [grid^2], from u, y, n [c, fine^2], f_0 [c, 1], M_0 [grid^2], in float64."""
        B, D = interpolation(self.grid, self.fine), differences(self.grid)
        level = float(first.mean())
        weight = n / (self.alike * level**2 * ((self.error * sigma) ** 2 + self.least**2))

        # Which f a colour has, and the normal equations for these alone.
        c = len(u)
        columns = torch.ones(c, 1).double() if shared else torch.eye(c).double()
        k = columns.shape[1]
        start = columns.T @ first[:, 0] / columns.sum(0)
        ff = columns.T @ torch.diag((weight * u * u).sum(1)) @ columns
        kept = (1 + ff.diag() * start**2 * (noise / level) ** 4) / (self.tau * start) ** 2
        ff = ff + torch.diag(kept)
        fy = columns.T @ (weight * u * y).sum(1) + kept * start
        if not mask:
            return columns @ torch.linalg.solve(ff, fy), torch.zeros_like(stray)

        # Those for M, and what couples the two.
        fM, faint = columns.T @ (weight * u) @ B, (self.faint * level) ** -2
        MM = B.T @ (weight.sum(0)[:, None] * B) + faint * torch.eye(self.grid**2).double()
        right = torch.cat([fy, B.T @ (weight * y).sum(0) + faint * stray])

        # Total variation, by weights of the round before.
        size = torch.full((len(D),), self.smooth * level).double()
        for _ in range(self.rounds):
            even = D.T @ (D / (self.smooth * level * size)[:, None])
            matrix = torch.cat([torch.cat([ff, fM], 1), torch.cat([fM.T, MM + even], 1)])
            still = torch.cat([torch.zeros(k).double(), even @ stray])
            solution = torch.linalg.solve(matrix, right + still)
            size = (D @ (solution[k:] - stray)).abs().clamp_min(0.1 * self.smooth * level)

        return columns @ solution[:k], solution[k:].clamp(0, 1)


def by_colour(
    solve: Callable[..., tuple[Tensor, Tensor]],
    shared: bool,
    u: Tensor,
    y: Tensor,
    n: Tensor,
    first: Tensor,
    stray: Tensor,
) -> tuple[Tensor, Tensor]:
    """f [3] and M [m, grid^2] of an image: all colours together, or each with an M of its own.

    Args:
        solve: `LightFit.solve`.
        shared: one f for all colours, where they have one M.
        u, y, n, first: arguments of `solve`, for three colours.
        stray: M_0 [m, grid^2]; m is 1 or 3.
    """
    if len(stray) == 1:
        f, M = solve(u, y, n, first, stray[0], shared=shared)
        return f, M[None]
    rows = [[t[c : c + 1] for t in (u, y, n, first)] for c in range(3)]
    each = [solve(*row, M_0, shared=True) for row, M_0 in zip(rows, stray, strict=True)]
    return torch.cat([f for f, _ in each]), torch.stack([M for _, M in each])


@cache
def differences(grid: int) -> Tensor:
    """D [2 grid (grid - 1), grid^2]: between neighbours, across and down."""
    cells = torch.eye(grid**2).double().view(grid**2, grid, grid)
    return torch.cat([cells.diff(dim=-1).flatten(1).T, cells.diff(dim=-2).flatten(1).T])
