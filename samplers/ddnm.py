"""DDNM (Wang et al., ICLR 2023), Algorithm 1; time travel (Algorithm 2) is the schedule's.

    x0     = (x_t - sqrt(1 - a_t) eps(x_t, t)) / sqrt(a_t)            Eq. 12
    x0_hat = A^+ y + (I - A^+ A) x0                                   Eq. 13
    x_s    = sqrt(a_s) x0_hat + sqrt(1 - a_s) (sqrt(1 - eta^2) eps + eta z)
                                                                      Eq. 14 in DDIM's form

Where y is noisy this would return its noise, so DDNM+ takes over (samplers/ddnm_plus.py).
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import LinearOperator
from samplers.ddnm_plus import DDNMPlus


@dataclass(kw_only=True)
class DDNM(DDNMPlus):
    """The null-space projection: what y says is put in, the rest is the network's.

    Args:
        eta: share of fresh noise in x_s; 0.85 as in the released code.
        trust: weight of the prior where y is noisy and A has no singular values.
    """

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
        if A.sigma_y > 0:
            return super().step(x, t, s, prior, A, y, noise, memory)

        eps, x0, _ = prior(x, t)
        x0_hat = x0 - A.pinv(A(x0) - y)
        return prior.ddim(x0_hat, eps, s, self.eta, noise), x0_hat
