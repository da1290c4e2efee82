"""GDP's guidance on x0 with a step that needs no tuning and knows of y's noise: our own.

    x0     = clip((x_t - sqrt(1 - a_t) eps(x_t, t)) / sqrt(a_t)),  steered by the terms of L that do
             not compare with y (samplers/guide/guidance.py)
    g      = grad_x0 L(x0, y),   alpha = <g, g> / |<g, H g>|    the exact minimiser along -g
                                                                where L is quadratic
    x0_hat = x0 - lam scale alpha g
    x_s    = sqrt(a_s) x0_hat + sqrt(1 - a_s - a_s tau^2) (sqrt(1 - eta^2) eps + eta z)

tau is the std of the noise that the correction carries over from y, and lam <= 1 keeps it below
x_s's own: DDNM+'s rule, for any differentiable A. GDP (Fei et al., CVPR 2023; samplers/gdp_x0.py)
moves the mean of x_s instead, so its pull depends on the number of steps. Here g corrects x0
itself, so it is the same whatever their number.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import Operator
from samplers.base import Sampler
from samplers.guide.checks import check_scale
from samplers.guide.descent import dot, minimiser
from samplers.guide.guidance import Guidance


@dataclass(kw_only=True)
class GDPLineSearch(Sampler):
    """Descent on x0 along the gradient of a loss, to the minimum along it.

    Args:
        guidance: the loss L.
        scale: 1 is the full step along the gradient, 0 no guidance.
        eta: the share of fresh noise in x_s's; 0.85 as in DDNM's code.

    Raises:
        ValueError: scale is below 0.
    """

    consistent: ClassVar = True
    whitens: ClassVar = False
    guidance: Guidance = field(default_factory=Guidance)
    scale: float = 1.0
    eta: float = 0.85

    def __post_init__(self) -> None:
        check_scale(self.scale)
        self.fidelity = self.guidance.fidelity()

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
        x0 = x0.clamp(-1, 1)
        a, variance = prior.a(s), 1 - prior.a(s)
        x0, loss = self.guidance.steer(x0, y, A, prior.sigma(t), prior.sigma(s)), self.fidelity

        # The minimiser along -g; a step stays within the range of pixels.
        g = loss.gradient(x0, y, A)
        rate = self.scale * minimiser(lambda x: loss.gradient(x, y, A), x0, g)

        # y's noise that the step carries over: less of it than x_s has, and none of it twice.
        if A.sigma_y > 0:
            carried = rate * (loss.gradient(x0, y + A.sigma_y * noise.like(y), A) - g)
            tau = (dot(carried, carried) / carried[0].numel()).sqrt()
            lam = (variance**0.5 / (a**0.5 * tau + 1e-30)).clamp(max=1)
            rate, variance = lam * rate, (variance - a * (lam * tau) ** 2).clamp(min=0)

        x0_hat = x0 - rate * g
        if s == 0:
            return x0_hat, x0_hat
        z = (1 - self.eta**2) ** 0.5 * eps + self.eta * noise.like(x)
        return a**0.5 * x0_hat + variance**0.5 * z, x0_hat
