"""RePaint (Lugmayr et al., CVPR 2022), Algorithm 1, for any linear A.

    known   ~ q(x_s | A^+ y)
    unknown ~ p(x_s | x_t)
    x_s     = unknown - A^+ A (unknown - known)      of a mask: known where it keeps, else unknown

Its resampling is the schedule's time travel.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import LinearOperator
from samplers.base import Sampler


@dataclass(kw_only=True)
class RePaint(Sampler):
    """Takes y for clean: its noise, if any, stays in the result."""

    needs: ClassVar = ("pinv",)
    consistent: ClassVar = True
    noise_aware: ClassVar = False

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

        # Two pictures of time s, joined.
        known = prior.diffuse(A.pinv(y), 0, s, noise)
        unknown = prior.ancestral(x, x0, t, s, v, noise)
        return unknown - A.pinv(A(unknown - known)), x0
