"""GDP's variant v1 (Fei et al., CVPR 2023, supplement): the gradient corrects the noise prediction, hence x0.

    eps_hat = eps + sqrt(1 - a_t) scale grad_x0 L(x0, y)              L = mean (A x0 - y)^2 in [0, 1] units
    x0_hat  = (x_t - sqrt(1 - a_t) eps_hat) / sqrt(a_t)
    x_s     = mu(x_t, x0_hat) + std z

As the score's own correction (Song et al., 2021) it carries the variance that GDP-x0's shift lacks.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from samplers.gdp_x0_paper import GDPx0Paper


@dataclass(kw_only=True)
class GDPx0V1(GDPx0Paper):
    """`scale`: 250000 for super-resolution, 300000 for deblurring, 30000 for colour, at 256 x 256."""

    scale: float = 250000.0

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: Any,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        _, x0, v = prior(x, t)
        x0 = x0.clamp(-1, 1)
        a = prior.a(t)
        x0_hat = x0 - (1 - a) / a**0.5 * self.scale * self.guidance.gradient(
            self.guided(x, x0), y, A
        )
        return prior.ancestral(x, x0_hat, t, s, v, noise), x0
