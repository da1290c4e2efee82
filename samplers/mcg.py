"""MCG (Chung et al., NeurIPS 2022), Algorithm 1: DPS's gradient, then the measurement is put in.

x'  ~ p(x_s | x_t, x0(x_t)) - zeta (t - s) grad_x_t ||y - A x0(x_t)||
x_s = x' - A^+ (A x' - A q(x_s | A^+ y))
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from samplers.dps import DPS


@dataclass(kw_only=True)
class MCG(DPS):
    """It takes y for clean.

    Args:
        zeta: as in DPS.
    """

    needs: ClassVar = ("pinv",)
    consistent: ClassVar = True
    noise_aware: ClassVar = False

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
        x_s, x0 = super().step(x, t, s, prior, A, y, noise, memory)
        known = prior.diffuse(A.pinv(y), 0, s, noise)
        return x_s - A.pinv(A(x_s - known)), x0
