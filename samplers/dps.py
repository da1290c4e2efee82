"""DPS (Chung et al., ICLR 2023), Algorithm 1: the gradient of the residual, through the network.

    x'  ~ p(x_s | x_t, x0(x_t))
    x_s = x' - zeta (t - s) grad_x_t ||y - A x0(x_t)||

The paper's zeta is for steps of 1; (t - s) keeps its strength when fewer are taken, and a step
never exceeds the residual itself.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prediction, Prior
from operators.base import Operator
from samplers.base import Sampler


@dataclass(kw_only=True)
class DPS(Sampler):
    """One call of the network forward and one backward a step; any differentiable A.

    Args:
        zeta: 0.3 for super-resolution and blur, 0.5 for inpainting, 1 for phase retrieval.
    """

    whitens: ClassVar = False
    zeta: float = 0.3

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
        (_, x0, v), residual, g = residual_gradient(prior, x, t, A, y)
        x0 = x0.clamp(-1, 1)
        length = residual.clamp(max=self.zeta * (t - s))
        return prior.ancestral(x, x0, t, s, v, noise) - length * g, x0


def residual_gradient(
    prior: Prior, x: Tensor, t: int, A: Operator, y: Tensor
) -> tuple[Prediction, Tensor, Tensor]:
    """The prediction, ||y - A x0|| of each image [B, 1, 1, 1], and its gradient in x_t."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        eps, x0, v = prior(x, t)
        residual = (y - A(x0)).flatten(1).norm(dim=1)
        g = torch.autograd.grad(residual.sum(), x)[0]

    prediction = Prediction(eps.detach(), x0.detach(), None if v is None else v.detach())
    return prediction, residual.detach().view(-1, 1, 1, 1), g
