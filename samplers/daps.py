"""DAPS (Zhang et al., CVPR 2025), Algorithm 1: at each noise level a clean sample given x_t and y, then fresh noise.

    x0    = probability flow from x_t to 0 in `ode` steps
    x0_y  ~ exp(-||x - x0||^2 / 2 r^2 - ||A x - y||^2 / 2 tau^2),   r = min(share sigma_t, reach), tau = max(sigma_y, floor)
    x_s   = sqrt(a_s) x0_y + sqrt(1 - a_s) z

With a linear A the middle line is a Gaussian, drawn exactly by perturbing and solving: prox(x0 + r n, y + tau n', tau^2 / r^2).
Otherwise by `langevin` steps, each as long as the curvature along the gradient allows. The paper has r = sigma_t, but its hundred Langevin
steps of 1e-4 come no farther than sqrt(2 100 1e-4) = 0.14; an exact draw would, and what A does not see would drown in noise.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import respaced
from samplers.base import Sampler
from samplers.guide.descent import curvature
from samplers.guide.guidance import Guidance
from samplers.guide.losses import fidelity


@dataclass(kw_only=True)
class DAPS(Sampler):
    """`ode` network calls a step; `floor` is the least noise that y is taken to have, 0.01 as in the paper.

    x0 is taken to be wrong by `share` of the noise that it was made from, and by `reach` at most.
    """

    ode: int = 5
    langevin: int = 100
    floor: float = 0.01
    share: float = 0.35
    reach: float = 0.14

    def nfe(self, T: int) -> int:
        return sum(min(self.ode, t) for t, s in self.schedule.pairs(T) if s < t)

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
        x0 = self.flow(prior, x, t)
        r, tau = min(self.share * prior.sigma(t), self.reach), max(A.sigma_y, self.floor)
        if s == 0:
            r = min(r, tau)
        draw = self.exact if hasattr(A, "prox") else self.walk
        x0_y = draw(x0, r, tau, A, y, noise)
        return prior.diffuse(x0_y, 0, s, noise), x0_y

    def flow(self, prior: Prior, x: Tensor, t: int) -> Tensor:
        """x0 by DDIM without noise, in `ode` steps."""
        times = [0, *respaced(t, [min(self.ode, t)])]
        for t, s in zip(times[:0:-1], times[-2::-1], strict=True):
            eps, x0, _ = prior(x, t)
            x = prior.a(s) ** 0.5 * x0 + (1 - prior.a(s)) ** 0.5 * eps
        return x

    def exact(self, x0: Tensor, r: float, tau: float, A: Any, y: Tensor, noise: Noise) -> Tensor:
        """A draw of the Gaussian."""
        return A.prox(x0 + r * noise.like(x0), y + tau * noise.like(y), (tau / r) ** 2)

    def walk(self, x0: Tensor, r: float, tau: float, A: Any, y: Tensor, noise: Noise) -> Tensor:
        """Unadjusted Langevin steps from x0."""

        term = Guidance({"y": [0.5 / tau**2, fidelity]})

        def gradient(x: Tensor) -> Tensor:
            return term.gradient(x, y, A) + (x - x0) / r**2

        x = x0
        for _ in range(self.langevin):
            g = gradient(x)
            rate = 0.5 / curvature(gradient, x, g).clamp_min(1 / r**2)
            x = x - rate * g + (2 * rate) ** 0.5 * noise.like(x)
        return x
