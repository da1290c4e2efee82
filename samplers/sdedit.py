"""SDEdit (Meng et al., ICLR 2022), Algorithm 2: noise the first guess up to t0 = start T, then sample with nothing more said of y.

x_t0 ~ q(x_t0 | first guess),   x_s ~ p(x_s | x_t) as DDIM(eta)
"""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from samplers.base import Sampler


@dataclass(kw_only=True)
class SDEdit(Sampler):
    """`schedule.start` trades faithfulness (low) against realism (high); any `init` picture may replace the first guess."""

    eta: float = 1.0
    schedule: Schedule = field(default_factory=lambda: Schedule(start=0.5))

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
        eps, x0, _ = prior(x, t)
        return prior.ddim(x0, eps, s, self.eta, noise), x0
