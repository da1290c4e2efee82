"""DDS (Chung et al., ICLR 2024), Algorithm 1: a few conjugate gradients in each step.

    x0_hat = CG_M on (A^T A + rho) x = A^T y + rho x0, from x0
             rho = 1 / gamma where y is noisy, else 0
    x_s    = sqrt(a_s) x0_hat + sqrt(1 - a_s) (sqrt(1 - eta^2) eps + eta z)

Started from x0, they keep the correction in the Krylov space of A^T A.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import LinearOperator
from operators.tools.solve import cg
from samplers.base import Sampler


@dataclass(kw_only=True)
class DDS(Sampler):
    """Corrects x0 by A and A^T alone.

    Args:
        M: iterations of conjugate gradients, 5 as in the paper.
        gamma: weight of y where it is noisy.
        eta: share of fresh noise in x_s.
    """

    needs: ClassVar = ("adjoint",)
    whitens: ClassVar = False
    M: int = 5
    gamma: float = 5.0
    eta: float = 0.85

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
        rho = 1 / self.gamma if A.sigma_y > 0 else 0.0

        # The normal equations, for what x0 lacks.
        misfit = A.adjoint(y - A(x0))
        x0_hat = x0 + cg(lambda d: A.adjoint(A(d)) + rho * d, misfit, max_iter=self.M)
        return prior.ddim(x0_hat, eps, s, self.eta, noise), x0_hat
