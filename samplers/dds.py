"""DDS (Chung et al., ICLR 2024), Algorithm 1: a few conjugate gradients from x0 keep it in the Krylov space of A^T A.

x0_hat = CG_M on (A^T A + rho) x = A^T y + rho x0, from x0              rho = 1 / gamma; 0 where sigma_y = 0
x_s    = sqrt(a_s) x0_hat + sqrt(1 - a_s) (sqrt(1 - eta^2) eps + eta z)
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.tools.solve import cg
from samplers.base import Sampler


@dataclass(kw_only=True)
class DDS(Sampler):
    """`M` iterations of CG; `gamma` is the weight of y where it is noisy."""

    needs: ClassVar = ("adjoint",)
    M: int = 5
    gamma: float = 5.0
    eta: float = 0.85

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
        rho = 1 / self.gamma if A.sigma_y > 0 else 0.0
        x0_hat = x0 + cg(lambda d: A.adjoint(A(d)) + rho * d, A.adjoint(y - A(x0)), max_iter=self.M)
        return prior.ddim(x0_hat, eps, s, self.eta, noise), x0_hat
