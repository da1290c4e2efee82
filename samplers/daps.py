"""DAPS (Zhang et al., CVPR 2025), Algorithm 1: at each noise level a clean sample, then noise.

    x0    = probability flow from x_t to 0 in `ode` steps
    x0_y  ~ exp(-||x - x0||^2 / 2 r^2 - ||A x - y||^2 / 2 tau^2)
            r = min(share sigma_t, reach),   tau = max(sigma_y, floor)
    x_s   = sqrt(a_s) x0_y + sqrt(1 - a_s) z

With a linear A the middle line is a Gaussian, drawn exactly by perturbing and solving:
prox(x0 + r n, y + tau n', tau^2 / r^2). Otherwise by `langevin` steps, each as long as the
curvature along the gradient allows. The paper has r = sigma_t, but its hundred Langevin steps of
1e-4 come no farther than sqrt(2 100 1e-4) = 0.14; an exact draw would, and what A does not see
would drown in noise.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import respaced
from operators.base import Operator
from samplers.base import Sampler
from samplers.guide.descent import curvature
from samplers.guide.guidance import Guidance
from samplers.guide.losses import fidelity


@dataclass(kw_only=True)
class DAPS(Sampler):
    """Samples of the posterior at each noise level, decoupled from one level to the next.

    Args:
        ode: network calls a step, 5 as in the paper.
        langevin: steps of a draw where A is not linear, 100 as in the paper.
        floor: the least noise that y is taken to have, [-1, 1] units; 0.01 as in the paper.
        share: of the noise that x0 was made from, by which x0 is taken to be wrong ...
        reach: ... and by this at most, [-1, 1] units.
    """

    ode: int = 5
    langevin: int = 100
    floor: float = 0.01
    share: float = 0.35
    reach: float = 0.14

    def nfe(self, T: int) -> int:
        return self.calls_of(list(self.schedule.pairs(T)))

    def calls_of(self, pairs: list[tuple[int, int]]) -> int:
        """Network calls: `ode` a step, less where so few times are left."""
        return sum(min(self.ode, t) for t, s in pairs if s < t)

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
        x0 = self.flow(prior, x, t)
        r, tau = min(self.share * prior.sigma(t), self.reach), max(A.sigma_y, self.floor)
        if s == 0:
            r = min(r, tau)

        # A clean sample given x_t and y, then fresh noise.
        if A.offers("prox"):
            x0_y = A.prox(x0 + r * noise.like(x0), y + tau * noise.like(y), (tau / r) ** 2)
        else:
            x0_y = self.walk(x0, r, tau, A, y, noise)
        return prior.diffuse(x0_y, 0, s, noise), x0_y

    def flow(self, prior: Prior, x: Tensor, t: int) -> Tensor:
        """x0 from x_t by DDIM without noise, in `ode` steps."""
        times = [0, *respaced(t, [min(self.ode, t)])]
        for now, then in pairwise(reversed(times)):
            eps, x0, _ = prior(x, now)
            x = prior.a(then) ** 0.5 * x0 + (1 - prior.a(then)) ** 0.5 * eps
        return x

    def walk(
        self, x0: Tensor, r: float, tau: float, A: Operator, y: Tensor, noise: Noise
    ) -> Tensor:
        """A draw by unadjusted Langevin steps from x0."""
        misfit = Guidance({"y": [0.5 / tau**2, fidelity]})

        def gradient(x: Tensor) -> Tensor:
            return misfit.gradient(x, y, A) + (x - x0) / r**2

        x = x0
        for _ in range(self.langevin):
            g = gradient(x)
            rate = 0.5 / curvature(gradient, x, g).clamp_min(1 / r**2)
            x = x - rate * g + (2 * rate) ** 0.5 * noise.like(x)
        return x
