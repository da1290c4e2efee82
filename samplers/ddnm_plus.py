"""DDNM+ (Wang et al., ICLR 2023, Sec. 3.3): DDNM where y is noisy.

    x0_hat = x0 - lam A^+ (A x0 - y)                                  Eq. 17
    x_s    = sqrt(a_s) x0_hat + phi z + null eps                      Eq. 18

The weights are functions of each singular value d, with sigma = sqrt(1 - a_s):

    d sigma >= sqrt(a_s) sigma_y:   lam = 1                           y's noise is part of x_s's
                                    phi^2 = sigma^2 - a_s sigma_y^2 / d^2
    else:                           lam = sqrt(1 - eta^2) sigma d / (sqrt(a_s) sigma_y)
                                    phi = eta sigma
    d = 0:                          phi = eta sigma,   null = sqrt(1 - eta^2) sigma

An operator without `spectral` gets a proximal step with scalar noise, which is an approximation:

    x0_hat = argmin_x ||A x - y||^2 / sigma_y^2 + trust ||x - x0||^2 a_t / (1 - a_t)
                                                                      as in DiffPIR (2023)
"""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import LinearOperator, SpectralOperator
from samplers.base import Sampler


@dataclass(kw_only=True)
class DDNMPlus(Sampler):
    """The null-space projection, damped by y's noise.

    Args:
        eta: share of fresh noise in x_s; 0.85 as in the released code.
        trust: weight of the prior in the proximal step.
    """

    needs: ClassVar = ("pinv",)
    consistent: ClassVar = True
    eta: float = 0.85
    trust: float = 8.0

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: LinearOperator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        eps, x0, _ = prior(x, t)
        if A.offers("spectral"):
            return self.noisy(x0, eps, s, prior, cast(SpectralOperator, A), y, noise)

        rho = self.trust * A.sigma_y**2 * prior.a(t) / (1 - prior.a(t))
        x0_hat = A.prox(x0, y, rho)
        return prior.ddim(x0_hat, eps, s, self.eta, noise), x0_hat

    def noisy(
        self,
        x0: Tensor,
        eps: Tensor,
        s: int,
        prior: Prior,
        A: SpectralOperator,
        y: Tensor,
        noise: Noise,
    ) -> tuple[Tensor, Tensor]:
        """(x_s, x0_hat) by singular value; multiplied out, so that none is divided by."""
        a, sigma, sigma_y = prior.a(s) ** 0.5, (1 - prior.a(s)) ** 0.5, A.sigma_y
        k = (1 - self.eta**2) ** 0.5 * sigma

        def lam(d: Tensor) -> Tensor:
            return torch.where(d * sigma >= a * sigma_y, 1.0, k * d / (a * sigma_y))

        def phi(d: Tensor) -> Tensor:
            seen = (d > 0) & (d * sigma >= a * sigma_y)
            rest = (sigma**2 - (a * sigma_y / torch.where(seen, d, 1.0)) ** 2).clamp_min(0)
            return torch.where(seen, rest.sqrt(), self.eta * sigma)

        def null(d: Tensor) -> Tensor:
            return torch.where(d == 0, k, 0.0)

        # The correction, and noise in what A sees and does not see.
        x0_hat = x0 - A.spectral(A.pinv(A(x0) - y), lam)
        if s == 0:
            return x0_hat, x0_hat
        return a * x0_hat + A.spectral(noise.like(x0), phi) + A.spectral(eps, null), x0_hat
