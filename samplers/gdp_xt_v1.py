"""GDP-xt-v1 (Fei et al., CVPR 2023, supplement): GDP-x0-v1 with its gradient taken at x_t.

eps_hat = eps + sqrt(1 - a_t) scale grad_x_t L(x_t, y)
"""

from dataclasses import dataclass

from torch import Tensor

from samplers.gdp_x0_v1 import GDPx0V1


@dataclass(kw_only=True)
class GDPxtV1(GDPx0V1):
    """`scale` as in GDP-x0-v1."""

    def guided(self, x: Tensor, x0: Tensor) -> Tensor:
        return x
