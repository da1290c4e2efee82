"""DDRM (Kawar et al., NeurIPS 2022), Eq. 4-8, with functions of the singular values s_i.

They are applied in image space, by `spectral`. With sigma_t = sqrt((1 - a_t) / a_t), x0 from the
prior, and z ~ N(0, I), x_s is sqrt(a_s) times

    s_i = 0:                    x0 + sqrt(1 - eta^2) sigma_s eps + eta sigma_s z         Eq. 6
    s_i sigma_s <  sigma_y:     x0 + sqrt(1 - eta^2) sigma_s (A^+ y - x0) s_i / sigma_y
                                   + eta sigma_s z                                       Eq. 7
    s_i sigma_s >= sigma_y:     (1 - eta_b) x0 + eta_b A^+ y
                                   + sqrt(sigma_s^2 - (eta_b sigma_y / s_i)^2) z         Eq. 8
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import Operator, SpectralOperator
from samplers.base import Sampler


@dataclass(kw_only=True)
class DDRM(Sampler):
    """Each singular direction follows x0 or y, by which of them knows more of it.

    Args:
        eta: share of fresh noise; 0.85 as in the released code.
        eta_b: how far what A sees moves to y; with 1, as in the released code, it is DDNM+.
    """

    needs: ClassVar = ("pinv", "spectral")
    consistent: ClassVar = True
    eta: float = 0.85
    eta_b: float = 1.0

    def start(self, prior: Prior, A: Operator, y: Tensor, noise: Noise) -> Tensor:
        """x_T given y: Eq. 4."""
        A = cast(SpectralOperator, A)
        T = self.schedule.times(prior.T)[-1]
        sigma, z = prior.sigma(T), super().start(prior, A, y, noise)
        seen = seen_at(sigma, A.sigma_y)

        def std(s_i: Tensor) -> Tensor:
            rest = sigma**2 - noise_of_y(A.sigma_y, s_i, seen) ** 2
            return torch.where(seen(s_i), rest.clamp_min(0).sqrt(), sigma)

        mean = A.spectral(A.pinv(y), lambda s_i: seen(s_i).to(s_i))
        return prior.a(T) ** 0.5 * (mean + A.spectral(z, std))

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: SpectralOperator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        eps, x0, _ = prior(x, t)
        sigma, sigma_y = prior.sigma(s), A.sigma_y
        k, seen = (1 - self.eta**2) ** 0.5 * sigma, seen_at(sigma, sigma_y)

        def pull(s_i: Tensor) -> Tensor:
            unsure = k * s_i / sigma_y if sigma_y else 0 * s_i
            return torch.where(seen(s_i), self.eta_b, unsure)

        def std(s_i: Tensor) -> Tensor:
            rest = sigma**2 - (self.eta_b * noise_of_y(sigma_y, s_i, seen)) ** 2
            return torch.where(seen(s_i), rest.clamp_min(0).sqrt(), self.eta * sigma)

        # The mean between x0 and y, then the noise, old in the null space and new everywhere.
        x_s = A.spectral(x0, lambda s_i: 1 - pull(s_i)) + A.spectral(A.pinv(y), pull)
        if s > 0:
            old = A.spectral(eps, lambda s_i: torch.where(s_i == 0, k, 0.0))
            x_s = x_s + old + A.spectral(noise.like(x), std)
        return prior.a(s) ** 0.5 * x_s, x0


def seen_at(sigma: float, sigma_y: float) -> Callable[[Tensor], Tensor]:
    """Whether y knows more of a singular direction than an x of noise sigma does.

    It is multiplied out, so that nothing is divided by 0.
    """
    return lambda s_i: (s_i > 0) & (s_i * sigma >= sigma_y)


def noise_of_y(sigma_y: float, s_i: Tensor, seen: Callable[[Tensor], Tensor]) -> Tensor:
    """The noise of A^+ y, sigma_y / s_i, where that is seen."""
    return sigma_y / torch.where(seen(s_i), s_i, 1.0)
