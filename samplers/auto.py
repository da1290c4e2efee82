"""The default: the sampler that does best at its cost with the operator at hand.

    A linear, affine, or with a proximal map all the same:   Anchored
    else:                                                    GDP's guidance on x0, by line search

Both start late, from a noised first guess.
"""

from dataclasses import dataclass, field, replace

from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import AffineOperator, Operator
from samplers.anchored import Anchored
from samplers.base import Restored, Restorer, Run, Sampler
from samplers.gdp_linesearch import GDPLineSearch
from samplers.guide.guidance import Guidance
from samplers.start import Guess, check_calls

LINE_SEARCH = 8  # its calls, times rate and draws


@dataclass(kw_only=True)
class Auto(Restorer):
    """Chooses a sampler by the operator.

    Args:
        guidance: what operators that are not linear descend; of its terms, those that do not
            compare with y are descended for the others as well.
        rate, draws, detail: see Anchored; the calls of line search grow with the first two.
        schedule: of the sampler chosen.
    """

    guidance: Guidance = field(default_factory=Guidance)
    rate: float = 2.5
    draws: int = 1
    detail: float = 0.0
    schedule: Schedule = field(
        default_factory=lambda: Schedule("auto", start="auto", spacing="squared", end="auto")
    )

    def __post_init__(self) -> None:
        check_calls(self.rate, self.draws, self.detail)

    def for_operator(self, operator: Operator) -> Sampler:
        """The sampler that this operator gets."""
        if isinstance(operator, AffineOperator) or operator.offers("prox"):
            return Anchored(
                schedule=self.schedule,
                guidance=self.guidance,
                rate=self.rate,
                draws=self.draws,
                detail=self.detail,
            )

        schedule = self.schedule
        if schedule.steps == "auto":
            steps = max(1, round(LINE_SEARCH * self.rate * self.draws))
            schedule = replace(schedule, steps=steps)
        return GDPLineSearch(guidance=self.guidance, schedule=schedule)

    def posed(self, operator: Operator, y: Tensor) -> tuple[Operator, Tensor]:
        """As the sampler chosen is to have it."""
        return self.for_operator(operator.whitened(y)[0]).posed(operator, y)

    def timed(self, prior: Prior, A: Operator, y: Tensor, guess: Guess | None = None) -> Schedule:
        return self.for_operator(A).timed(prior, A, y, guess)

    def at_once(self, operator: Operator, y: Tensor) -> bool:
        return self.for_operator(operator).at_once(operator, y)

    def passes(self, T: int, operator: Operator, y: Tensor) -> list[int]:
        return self.for_operator(operator).passes(T, operator, y)

    def check(self, operator: Operator) -> None:
        """Raise TypeError if the sampler chosen lacks something of the operator."""
        self.for_operator(operator).check(operator)

    def hides(self, A: Operator, error: float) -> float:
        """As the sampler chosen has it."""
        return self.for_operator(A).hides(A, error)

    def restore(self, prior: Prior, operator: Operator, y: Tensor, run: Run) -> Restored:
        """Have the sampler chosen restore y."""
        return self.for_operator(operator).restore(prior, operator, y, run)
