"""The mean of a denoiser and a prior.

    eps = w eps_D + (1 - w) eps_prior          w = share, to 0 where sigma_t is above `until`

Two networks err differently, so their mean errs less than either where both are good.
"""

import math

import torch
from torch import Tensor

from gdp.prior.prior import Prior

FADE = 2.0  # from `until` to this times it, a mean becomes the prior alone


class MixedPrior(Prior):
    """The mean of a denoiser and a prior.

    Args:
        prior: at all times.
        denoiser: where noise is little.
        share: of the denoiser there, 0 to 1.
        until: std in [0, 1] units up to which it counts in full.

    Raises:
        ValueError: share or until is out of its range, or the priors have other times.
    """

    def __init__(self, prior: Prior, denoiser: Prior, share: float = 0.3, until: float = 0.2):
        if not 0 <= share <= 1 or not until > 0:
            raise ValueError(
                f"prior.share={share}, prior.until={until}; the share is from 0 to 1, and "
                "`until` a std in [0, 1] units, above 0"
            )
        self.wrap(prior)
        if prior.T != denoiser.T or not torch.allclose(prior.alpha_bar, denoiser.alpha_bar):
            raise ValueError(
                "prior=mix needs a prior with DDPM's linear schedule of 1000 steps, as photo64 has"
            )
        self.prior, self.denoiser, self.share, self.until = prior, denoiser, share, until

    def weight(self, t: int) -> float:
        """The denoiser's share at time t."""
        beyond = math.log(max(self.sigma(t) / 2 / self.until, 1e-9)) / math.log(FADE)
        return self.share * (1 - min(max(beyond, 0.0), 1.0))

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        w, before = self.weight(t), self.prior.pixels + self.denoiser.pixels
        eps, v = self.prior.predict(x, t) if w < 1 else self.denoiser.predict(x, t)
        if 0 < w < 1:
            eps = w * self.denoiser.predict(x, t)[0] + (1 - w) * eps
        self.pixels += self.prior.pixels + self.denoiser.pixels - before
        return eps, v
