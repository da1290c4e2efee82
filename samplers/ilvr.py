"""ILVR (Choi et al., ICCV 2021), Algorithm 1: low frequencies follow a reference picture.

    x'  ~ p(x_s | x_t),   y_s ~ q(y_s | reference)
    x_s = x' + phi(y_s) - phi(x')                       while s > until T

phi is down and up again by `factor`; the reference is the first guess (samplers/start).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import LinearOperator
from samplers.base import Sampler
from samplers.start import first_guess


@dataclass(kw_only=True)
class ILVR(Sampler):
    """It knows of y only through the first guess.

    Args:
        factor: N of the low-pass filter.
        until: the time, as a fraction of T, at which guidance ends.
    """

    needs: ClassVar = ("pinv",)
    noise_aware: ClassVar = False
    factor: int = 4
    until: float = 0.0

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
        _, x0, v = prior(x, t)
        x0 = x0.clamp(-1, 1)
        x_s = prior.ancestral(x, x0, t, s, v, noise)
        if s < self.until * prior.T:
            return x_s, x0

        # Low frequencies of the reference, as noisy as x_s.
        if "reference" not in memory:
            memory["reference"] = first_guess(A, y)
        y_s = prior.diffuse(memory["reference"], 0, s, noise)
        return x_s + self.low(y_s - x_s), x0

    def low(self, x: Tensor) -> Tensor:
        """phi: what is left of x [B, C, H, W] at 1 / factor of its size, antialiased."""
        H, W = x.shape[-2:]
        size = (max(1, round(H / self.factor)), max(1, round(W / self.factor)))
        small = F.interpolate(x, size, mode="bicubic", antialias=True, align_corners=False)
        return F.interpolate(small, (H, W), mode="bicubic", align_corners=False)
