"""The default: `Anchored` where the operator is linear or has a proximal map all the same; else GDP's x0 guidance, late-started."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from gdp.storage.snapshot import Place
from operators.base import AffineOperator, Operator
from samplers.anchored import Anchored
from samplers.base import OnStep, Restored, Sampler
from samplers.gdp_x0 import GDPx0
from samplers.guide.guidance import Guidance


@dataclass(kw_only=True)
class Auto(Sampler):
    """`guidance` is for operators that are not linear; `schedule` for all."""

    guidance: Guidance = field(default_factory=Guidance)
    schedule: Schedule = field(
        default_factory=lambda: Schedule(20, start="auto", spacing="squared", end="auto")
    )

    def choose(self, operator: Operator) -> Sampler:
        """The sampler that this operator gets."""
        if isinstance(operator, AffineOperator) or hasattr(operator, "prox"):
            return Anchored(schedule=self.schedule, quality=self.guidance.quality())
        return GDPx0(guidance=self.guidance, schedule=self.schedule)

    def check(self, operator: Operator) -> None:
        self.choose(operator).check(operator)

    def __call__(
        self,
        prior: Prior,
        operator: Operator,
        y: Tensor,
        seeds: Sequence[int] | None = None,
        init: Restored | Tensor | None = None,
        on_step: OnStep | None = None,
        keep: Place | None = None,
    ) -> Restored:
        return self.choose(operator)(prior, operator, y, seeds, init, on_step, keep)

    def hides(self, A: Operator, error: float) -> float:
        return self.choose(A).hides(A, error)

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
        return self.choose(A).step(x, t, s, prior, A, y, noise, memory)
