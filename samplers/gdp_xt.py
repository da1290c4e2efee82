"""GDP with guidance on x_t (GDP-xt; Fei et al., CVPR 2023, Algorithm 1), as released: for parity and comparison.

    x_s = mu(x_t, clip(x0)) - scale grad_x_t L(x_t, y) + std z

The noisy x_t is held against the clean y, which is why the paper's Algorithm 2 (GDP-x0) restores better.
"""

from dataclasses import dataclass

from torch import Tensor

from samplers.gdp_x0_paper import GDPx0Paper


@dataclass(kw_only=True)
class GDPxt(GDPx0Paper):
    """`scale` as in GDP-x0: 2000 for super-resolution, 6000 for deblurring and colour."""

    def guided(self, x: Tensor, x0: Tensor) -> Tensor:
        return x
