"""SDEdit (Meng et al., ICLR 2022), Algorithm 2: noise a picture up to t0 = start T, and sample on.

    x_t0 ~ q(x_t0 | first guess),   x_s ~ p(x_s | x_t) as DDIM(eta)

Nothing more is said of y.
"""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import Operator
from samplers.base import Sampler


@dataclass(kw_only=True)
class SDEdit(Sampler):
    """An `init` picture may replace the first guess.

    Args:
        eta: share of fresh noise in x_s.
        schedule: its `start` trades faithfulness (low) against realism (high).
    """

    eta: float = 1.0
    schedule: Schedule = field(default_factory=lambda: Schedule(start=0.5))

    def warning(self, shape: tuple[int, ...], steps: int) -> str:
        """That it is no restoration."""
        return "says nothing of the photo after its start, and may end worse than that"

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: Operator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        eps, x0, _ = prior(x, t)
        return prior.ddim(x0, eps, s, self.eta, noise), x0
