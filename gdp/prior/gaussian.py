"""A prior whose noise prediction is exact: x0 ~ N(mean, Sigma), so posteriors have a closed form.

eps(x_t, t) = sqrt(1 - a_t) (a_t Sigma + (1 - a_t) I)^-1 (x_t - sqrt(a_t) mean)
"""

import torch
from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.schedule import betas


class GaussianPrior(Prior):
    """The exact denoiser of Gaussian images.

    Args:
        mean: a number, or [C, H, W].
        std: of each pixel, where there is no covariance; images are of any size then.
        covariance: Sigma, [n, n], of images of n = C H W values in row-major order.
        T: the number of diffusion steps.
    """

    def __init__(
        self,
        mean: float | Tensor = 0.0,
        std: float = 0.5,
        covariance: Tensor | None = None,
        T: int = 1000,
    ):
        super().__init__(None, betas(T))
        self.mean, self.std = mean, std
        self.basis = None
        if covariance is not None:
            self.values, self.basis = torch.linalg.eigh(covariance.double())

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, None]:
        a = self.a(t)
        self.pixels += len(x) * x.shape[-2] * x.shape[-1]
        d = x - a**0.5 * self.mean
        if self.basis is None:
            return (1 - a) ** 0.5 * d / (a * self.std**2 + 1 - a), None

        # In the basis of eigenvectors each coefficient has a variance of its own.
        c = d.flatten(1).double() @ self.basis / (a * self.values + 1 - a) @ self.basis.T
        return (1 - a) ** 0.5 * c.view_as(x).to(x.dtype), None
