"""The dark level of y = f x + M: what the darkest places near hold, by a robust dark channel.

d      = min_c y                over a small picture, as fine as noise allows; corrected for noise
M_0    = argmin sum w |d - B M| + bent |D2 M|^2 + steep |D1 M|^2
         w = LOW where d is above B M, else 1 - LOW: the quantile LOW of what is near (Koenker and
         Bassett, 1978), by iterated weights; B interpolates, D1 and D2 are differences on a grid

Even the darkest places of photos are not black: DARKEST is what the quantile has in them, in terms
of white, and DIFFERS its std from photo to photo. So M_0 is M and the scene's own dark level, whose
std from place to place is 0.085 f: it tells how likely there is any stray light. M itself is told
better by the network beside it.

From the dark channel prior (He, Sun and Tang, CVPR 2009), with M in place of haze.
"""

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

# Of photos: the local dark channel, and its std.
DARKEST, DIFFERS = 0.18, 0.1

# The mean least of three values with noise of std 1.
LEAST_OF_THREE = -0.85


@dataclass(frozen=True)
class DarkLevel:
    """Finds M_0 from y and f.

    Attributes:
        grid: side of M's grid.
        fine: side of the small picture at most; noise makes it coarser.
        coarse: the same, at least.
        noise: most of it that is left there, in terms of f.
        low: the quantile.
        bent, steep: what second and first differences cost.
        rounds: of weights.
    """

    grid: int = 8
    fine: int = 64
    coarse: int = 24
    noise: float = 0.06
    low: float = 0.02
    bent: float = 0.03
    steep: float = 0.003
    rounds: int = 15

    def __call__(self, pixels: Tensor, f: float, sigma: float) -> Tensor:
        """M_0 [grid^2], in float64.

        Args:
            pixels: y [1, 3, H, W] in [0, 1].
            f: what white has in y.
            sigma: std of y's noise.
        """
        # As small a picture as noise asks for.
        shorter = min(pixels.shape[-2:])
        most = min(self.fine, shorter)
        side = most if sigma == 0 else round(shorter * self.noise * f / sigma)
        side = min(max(side, min(self.coarse, most)), most)
        left = sigma * side / shorter
        d = F.adaptive_avg_pool2d(pixels, side).amin(1).flatten().double().cpu()
        d = d - LEAST_OF_THREE * left

        # The quantile of what is near, by iterated least squares.
        B, smooth = interpolation(self.grid, side), self.smoothness()
        M = d.new_full((self.grid**2,), float(d.quantile(self.low)))
        share = self.grid**2 / side**2
        for _ in range(self.rounds):
            above = d - B @ M
            w = torch.where(above > 0, self.low, 1 - self.low)
            w = w / (above.abs() + 0.5 * left + 0.01 * f)
            w = share * w / w.mean()
            M = torch.linalg.solve(B.T @ (w[:, None] * B) + smooth, B.T @ (w * d))
        return M

    def smoothness(self) -> Tensor:
        """The quadratic form of what differences cost, [grid^2, grid^2]."""
        cells = torch.eye(self.grid**2).double().view(-1, self.grid, self.grid)
        first = [cells.diff(dim=d) for d in (-1, -2)]
        second = [first[0].diff(dim=-1), first[1].diff(dim=-2), 2**0.5 * first[0].diff(dim=-2)]
        steep, bent = (torch.cat([d.flatten(1).T for d in ds]) for ds in (first, second))
        return self.steep * steep.T @ steep + self.bent * bent.T @ bent


@cache
def interpolation(grid: int, fine: int) -> Tensor:
    """B [fine^2, grid^2]: a map on the grid, bilinearly on the small picture."""
    cells = torch.eye(grid**2).double().view(grid**2, 1, grid, grid)
    maps = F.interpolate(cells, (fine, fine), mode="bilinear", align_corners=False)
    return maps.flatten(1).T.contiguous()
