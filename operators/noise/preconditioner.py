"""A preconditioner for M + rho I, M = A^T A: M is nearly diagonal in a picture's frequencies.

P  = C^-1 (p + rho)^-1 C                          C: DCT-II
p  = <C z . C M z> / <(C z)^2>                    z: white; <>: means over near frequencies

After T. Chan, An optimal circulant preconditioner for Toeplitz systems (1988), with the cosine
transform, which suits reflected borders, and the diagonal of C M C^-1 measured on one random
picture (Bekas, Kokiopoulou and Saad, An estimator for the diagonal of a matrix, 2007).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.tools.transforms import dct2, idct2

NEAR = 5  # frequencies a side over which means are taken
LEAST = 1e-4  # share of the largest p that every p has at least


class Preconditioner:
    """P for pictures of one size.

    Args:
        matvec: x -> M x, symmetric and positive semidefinite.
        like: an x [B, C, H, W].
    """

    def __init__(self, matvec: Callable[[Tensor], Tensor], like: Tensor):
        random = torch.Generator().manual_seed(0)
        z = torch.randn(1, *like.shape[1:], generator=random).to(like)
        c, d = dct2(z), dct2(matvec(z))

        # One frequency tells little, its neighbours have nearly the same p.
        near = min(NEAR, *like.shape[-2:]) // 2 * 2 + 1
        near = near if min(like.shape[-2:]) >= near else 1
        means = [
            F.avg_pool2d(q, near, 1, near // 2, count_include_pad=False) for q in (c * d, c * c)
        ]
        p = means[0] / means[1].clamp_min(1e-12)
        self.power = p.clamp_min(LEAST * float(p.max().clamp_min(1e-12)))

    def fits(self, x: Tensor) -> bool:
        """Whether it is for pictures of x's size, type and device."""
        same = self.power.shape[1:] == x.shape[1:] and self.power.dtype == x.dtype
        return same and self.power.device == x.device

    def inverse(self, rho: float) -> Callable[[Tensor], Tensor]:
        """r -> P r, near to (M + rho I)^-1 r."""
        return lambda r: idct2(dct2(r) / (self.power + rho))
