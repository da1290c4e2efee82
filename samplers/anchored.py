"""Our own: what y tells is anchored, what it does not tell is drawn afresh at every step, and y's noise counts as x_s's.

    times   from what A^+ y leaves open to what y's noise leaves open (samplers/late.py), even in sqrt(t)
    rho     = trust sigma_y^2 a_t / (1 - a_t)
    lam     = min(d^2 / (d^2 + rho), d sigma_s / (sqrt(a_s) sigma_y))                   by singular value d; 1 where sigma_y = 0
    x0_hat  = x0 - lam A^+ (A x0 - y)                                                   DDNM's projection, damped as DiffPIR's prox
    x_s     = sqrt(a_s) x0_hat + sqrt(sigma_s^2 - a_s (lam sigma_y / d)^2) z            sigma_s^2 = 1 - a_s
              and where d = 0, sigma_s (sqrt(1 - eta^2) eps + eta z)

The first bound weighs y against the prior's estimate, the second keeps the noise that y brings below x_s's own; DDNM+ has the second alone,
and part of the old noise in place of z, which hands on the network's errors. Without singular values x0_hat is the proximal step, whose
rho is large enough for the second bound, and its noise is measured on a random y. The last step weighs y against x0 by the error that an
estimate has, not by its noise.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from gdp.guidance import Guidance
from gdp.noise import Noise
from gdp.prior import Prior
from gdp.schedule import Schedule
from samplers.base import Sampler

PROBE = 48  # pixels, times the operator's divisor
ERROR = 0.35  # of an estimate x0, as a share of the noise it was made from
WIDEST = 0.5  # std of photos


@dataclass(kw_only=True)
class Anchored(Sampler):
    """`trust` is the weight of the prior against y; `eta` < 1 keeps part of the old noise in what A does not see.

    `quality` are terms for x0 besides y (gdp/losses.py), minus log-probabilities: a gradient step as long as x0's variance.
    At eta = 1 the PSNR is highest (SR4: by 0.3 dB) and the picture smoothest; 0.94 gives about the texture of a posterior sample.
    """

    needs: ClassVar = ("prox",)
    consistent: ClassVar = True
    trust: float = 0.3
    eta: float = 0.94
    quality: Guidance | None = None
    schedule: Schedule = field(default_factory=lambda: Schedule(20, start="auto", spacing="squared", end="auto"))

    def step(
        self, x: Tensor, t: int, s: int, prior: Prior, A: Any, y: Tensor, noise: Noise, memory: dict[str, Any]
    ) -> tuple[Tensor, Tensor]:
        eps, x0, _ = prior(x, t)
        if self.quality is not None:
            x0 = x0 - min(ERROR * prior.sigma(t), WIDEST) ** 2 * self.quality.gradient(x0.clamp(-1, 1), y, A)
        if A.sigma_y == 0:
            x0_hat = x0 - A.pinv(A(x0) - y)
            return prior.ddim(x0_hat, eps, s, self.eta, noise), x0_hat
        rho = A.sigma_y**2 * prior.a(t) / (1 - prior.a(t))
        if s == 0:
            x0_hat = A.prox(x0, y, rho / ERROR**2)
            return x0_hat, x0_hat
        draw = self.by_singular_value if hasattr(A, "spectral") else self.by_proximal_step
        return draw(x0, eps, self.trust * rho, prior.a(s), A, y, noise)

    def by_singular_value(self, x0: Tensor, eps: Tensor, rho: float, a: float, A: Any, y: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """x_s and x0_hat."""

        def lam(d: Tensor) -> Tensor:
            return (d**2 / (d**2 + rho)).minimum(d * (1 / a - 1) ** 0.5 / A.sigma_y)

        def fresh(d: Tensor) -> Tensor:
            rest = 1 - a - a * (lam(d) * A.sigma_y / torch.where(d > 0, d, 1.0)) ** 2
            return torch.where(d > 0, rest.clamp_min(0).sqrt(), self.eta * (1 - a) ** 0.5)

        def old(d: Tensor) -> Tensor:
            return torch.where(d > 0, 0.0, (1 - self.eta**2) ** 0.5 * (1 - a) ** 0.5)

        x0_hat = x0 - A.spectral(A.pinv(A(x0) - y), lam)
        return a**0.5 * x0_hat + A.spectral(noise.like(x0), fresh) + A.spectral(eps, old), x0_hat

    def by_proximal_step(self, x0: Tensor, eps: Tensor, rho: float, a: float, A: Any, y: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """x_s and x0_hat; the noise that y brings, at most sigma_y / (2 sqrt(rho)), is taken for white and measured on a small y."""
        rho = max(rho, A.sigma_y**2 * a / (4 * (1 - a)))
        small = torch.zeros_like(x0[:1, :, : PROBE * A.divisor, : PROBE * A.divisor])
        brought = A.prox(small, A.sigma_y * Noise([0]).like(A(small)), rho).square().mean()
        x0_hat = A.prox(x0, y, rho)
        return a**0.5 * x0_hat + (1 - a - a * brought).clamp_min(0).sqrt() * noise.like(x0), x0_hat
