"""Few grey levels: every value is rounded to one of 2^bits.

    p = (x + 1) / 2,  n = 2^bits - 1,  k = round(n clip(p, 0, 1)),  y = 2 k / n - 1

Rounding has no useful gradient, so `forward` passes it straight through: dy/dx = 1.
Source: Y. Bengio, N. Leonard and A. Courville, Estimating or propagating gradients through
stochastic neurons for conditional computation, 2013.
"""

import torch
from torch import Tensor

from operators.base import Operator
from operators.tools.units import to_model, to_pixels

# Half a step but for a hair, so that float32 rounds back into the same cell.
HALF = 0.495

# How wrong y is for x, in steps between levels: a little more than rounding's 1 / sqrt(12), since
# its errors go together where a photo is smooth.
ROUGH = 0.35

# Half the width of a band, in pixels, at most: the variance of what its errors hide together.
MOST_BANDED = 9.0


def straight_through(x: Tensor, y: Tensor) -> Tensor:
    """The value of y with the gradient of x."""
    return x + (y - x).detach()


class Quantise(Operator):
    """y01 = round(n clip(x01, 0, 1)) / n, n = 2^bits - 1: [B, C, H, W] -> the same.

    Args:
        bits: a whole number from 1, two levels, to 12.
    """

    def __init__(self, bits: int = 3):
        super().__init__()
        if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= 12:
            raise ValueError(
                f"operator.bits={bits!r}; the bit depth is a whole number from 1 (two levels) to 12"
            )
        self.top = 2**bits - 1

    @property
    def guess_error(self) -> float:  # type: ignore[override]
        """How wrong y is for x: random pictures, not within [0, 1], cannot tell it."""
        return max(ROUGH * 2 / self.top, self.sigma_y)

    def error(self, y: Tensor) -> float:
        """How wrong y is by this rounding: an rms in units of [-1, 1]."""
        return 2 / self.top / 12**0.5

    def banded(self, y: Tensor) -> float:
        """By how much white noise is stronger that hides as much of y [B, C, H, W] as the rounding.

        Bands are wide where a picture is smooth, and their errors go together.
        """
        changes = [float(y.diff(dim=d).abs().mean()) for d in (-2, -1) if y.shape[d] > 1]
        wide = 2 / self.top / max(sum(changes) / max(1, len(changes)), 1e-6)
        return min(max(1.0, wide / 2), MOST_BANDED) ** 0.5

    def codes(self, x: Tensor) -> Tensor:
        """k: the level of every value, 0 .. n."""
        return (self.top * to_pixels(x).clamp(0, 1)).round()

    def forward(self, x: Tensor) -> Tensor:
        return straight_through(x, to_model(self.codes(x) / self.top))

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The image nearest to x that A maps to y; the outermost levels have no outer end."""
        k = self.codes(y)
        low = torch.where(k == 0, -torch.inf, k - HALF)
        high = torch.where(k == self.top, torch.inf, k + HALF)
        return to_model((self.top * to_pixels(x)).clamp(low, high) / self.top)

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin_x (distance of x to the cells of y)^2 + rho ||x - v||^2."""
        return (self.project(v, y) + rho * v) / (1 + rho)
