"""DiffPIR (Zhu et al., CVPRW 2023), Algorithm 1: the prior's x0 and a proximal step in turn.

x0_hat  = argmin_x ||A x - y||^2 + rho_t ||x - x0||^2                           Eq. 12b
          rho_t = lam sigma^2 a_t / (1 - a_t)
eps_hat = (x_t - sqrt(a_t) x0_hat) / sqrt(1 - a_t)                              Eq. 14
x_s     = sqrt(a_s) x0_hat + sqrt(1 - a_s) (sqrt(1 - zeta) eps_hat + sqrt(zeta) z)
                                                                                Eq. 15
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import LinearOperator
from samplers.base import Sampler


@dataclass(kw_only=True)
class DiffPIR(Sampler):
    """Half-quadratic splitting.

    Args:
        lam: the prior's weight: 7 for deblurring, 2 to 12 for super-resolution, 1 for inpainting.
        zeta: share of fresh noise in x_s.
        floor: sigma is sigma_y, or this if that is larger; [-1, 1] units, 0.001 in [0, 1].
    """

    needs: ClassVar = ("prox",)
    lam: float = 7.0
    zeta: float = 0.3
    floor: float = 0.002

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
        _, x0, _ = prior(x, t)
        a = prior.a(t)

        # What y says, weighed against x0, and the noise that this makes of x_t.
        x0_hat = A.prox(x0, y, self.lam * max(A.sigma_y, self.floor) ** 2 * a / (1 - a))
        eps_hat = (x - a**0.5 * x0_hat) / (1 - a) ** 0.5
        return prior.ddim(x0_hat, eps_hat, s, self.zeta**0.5, noise), x0_hat
