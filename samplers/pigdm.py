"""PiGDM (Song et al., ICLR 2023), Algorithm 1: p(y | x_t) as a Gaussian about A x0.

r^2 = 1 - a_t                                                   variance of x0 given x_t
g   = (d x0 / d x_t)^T A^T (A A^T + sigma_y^2 / r^2)^-1 (y - A x0)
      by A^+, spectral or CG; A^+ (y - A x0) where sigma_y = 0
x_s = sqrt(a_s) x0 + sqrt(1 - a_s) (sqrt(1 - eta^2) eps + eta z) + sqrt(a_s a_t) g
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import LinearOperator
from samplers.base import Sampler


@dataclass(kw_only=True)
class PiGDM(Sampler):
    """The score of p(y | x_t), through the network: one forward and one backward a step.

    Args:
        eta: share of fresh noise in x_s; 1 in the paper.
    """

    needs: ClassVar = ("pinv",)
    eta: float = 1.0

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
        a = prior.a(t)
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            eps, x0, _ = prior(x, t)

            # Where y pulls x0, and what that pull is in x_t.
            fixed = x0.detach()
            if A.sigma_y > 0:
                pull = A.prox(fixed, y, A.sigma_y**2 / (1 - a)) - fixed
            else:
                pull = A.pinv(y - A(fixed))
            g = torch.autograd.grad((pull.detach() * x0).sum(), x)[0]

        x_s = prior.ddim(fixed, eps.detach(), s, self.eta, noise)
        return x_s + (prior.a(s) * a) ** 0.5 * g, fixed
