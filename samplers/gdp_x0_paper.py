"""GDP's released code (GDP-x0, CVPR 2023), number for number: for parity and comparison.

    x0  = clip((x_t - sqrt(1 - a_t) eps(x_t, t)) / sqrt(a_t))
    x_s = mu(x_t, x0) - scale grad_x0 L(x0, y) + std z,   L = mean (A x0 - y)^2 in [0, 1] units

The gradient is added without a variance factor, so 100 steps get a tenth of the guidance of 1000.
"""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from samplers.base import Sampler
from samplers.guide.guidance import Guidance
from samplers.guide.losses import mean_squared_error


@dataclass(kw_only=True)
class GDPx0Paper(Sampler):
    """`scale`: 2000 for super-resolution, 4000 for inpainting, 6000 for deblurring and colour, at 256 x 256 and 1000 steps."""

    guidance: Guidance = field(default_factory=lambda: Guidance({"mse": [1.0, mean_squared_error]}))
    scale: float = 2000.0

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
        return prior.ancestral(x, x0, t, s, v, noise) - self.scale * self.guidance.gradient(
            self.guided(x, x0), y, A
        ), x0

    def guided(self, x: Tensor, x0: Tensor) -> Tensor:
        """The image at which the gradient is taken."""
        return x0
