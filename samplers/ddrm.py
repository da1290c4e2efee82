"""DDRM (Kawar et al., NeurIPS 2022), Eq. 4-8, with functions of the singular values d applied in image space.

sigma_t = sqrt((1 - a_t) / a_t),   x0 from the prior,   z ~ N(0, I)
d = 0:                     x0 + sqrt(1 - eta^2) sigma_s eps                              + eta sigma_s z
d sigma_s <  sigma_y:      x0 + sqrt(1 - eta^2) sigma_s (A^+ y - x0) d / sigma_y         + eta sigma_s z
d sigma_s >= sigma_y:      (1 - eta_b) x0 + eta_b A^+ y       + sqrt(sigma_s^2 - (eta_b sigma_y / d)^2) z
x_s = sqrt(a_s) times their sum
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from samplers.base import Sampler


@dataclass(kw_only=True)
class DDRM(Sampler):
    """`eta` mixes fresh noise in, `eta_b` how far what A sees moves to y; eta_b = 1 is DDNM+."""

    needs: ClassVar = ("pinv", "spectral")
    consistent: ClassVar = True
    eta: float = 0.85
    eta_b: float = 1.0

    def start(self, prior: Prior, A: Any, y: Tensor, noise: Noise) -> Tensor:
        """x_T given y: Eq. 4."""
        t = self.schedule.times(prior.T)[-1]
        sigma, z = prior.sigma(t), super().start(prior, A, y, noise)
        seen = told(A.sigma_y, sigma)
        mean = A.spectral(A.pinv(y), lambda d: seen(d).to(d))
        fresh = A.spectral(
            z, lambda d: torch.where(seen(d), fit(sigma**2 - safe(A.sigma_y, d, seen) ** 2), sigma)
        )
        return prior.a(t) ** 0.5 * (mean + fresh)

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
        sigma, sigma_y = prior.sigma(s), A.sigma_y
        k, seen = (1 - self.eta**2) ** 0.5 * sigma, told(sigma_y, sigma)

        def pull(d: Tensor) -> Tensor:
            return torch.where(seen(d), self.eta_b, k * d / sigma_y if sigma_y else 0 * d)

        def fresh(d: Tensor) -> Tensor:
            return torch.where(
                seen(d),
                fit(sigma**2 - (self.eta_b * safe(sigma_y, d, seen)) ** 2),
                self.eta * sigma,
            )

        x_s = A.spectral(x0, lambda d: 1 - pull(d)) + A.spectral(A.pinv(y), pull)
        if s > 0:
            x_s = (
                x_s
                + A.spectral(eps, lambda d: torch.where(d == 0, k, 0.0))
                + A.spectral(noise.like(x), fresh)
            )
        return prior.a(s) ** 0.5 * x_s, x0


def told(sigma_y: float, sigma: float) -> Callable[[Tensor], Tensor]:
    """Whether y tells more of a singular direction than x_s does; multiplied out, so that nothing is divided by 0."""
    return lambda d: (d > 0) & (d * sigma >= sigma_y)


def safe(sigma_y: float, d: Tensor, seen: Callable[[Tensor], Tensor]) -> Tensor:
    """sigma_y / d where d is seen."""
    return sigma_y / torch.where(seen(d), d, 1.0)


def fit(variance: Tensor) -> Tensor:
    """The std of a variance that rounding may have taken below 0."""
    return variance.clamp_min(0).sqrt()
