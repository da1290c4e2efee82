"""What a restoration is made with: operator, sampler, prior and settings."""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior, reusable
from gdp.prior.tiling import TiledPrior
from gdp.restore.pipeline import Outcome
from operators.base import Operator
from operators.identity import Identity
from samplers.base import Sampler
from samplers.start.late import first_guess


class Setup(NamedTuple):
    """What a configuration describes. The prior is made on demand, since its weights are heavy."""

    operator: Operator
    sampler: Sampler
    bare_prior: Callable[[], Prior]
    tiled: Callable[[Prior], Prior]
    config: dict[str, Any]  # resolved
    choices: dict[str, str]  # of each group of conf/; a class for an object that was given
    overrides: list[
        str
    ]  # what was asked for that may change the numbers, as words of the command line

    def load_prior(self) -> Prior:
        """The prior, in tiles, and with `reuse`; one that comes in tiles keeps its own."""
        prior = self.bare_prior()
        if isinstance(prior, TiledPrior):
            return prior
        every = self.config["reuse"]
        if every is None:
            fast = self.config["quality"] == "fast" and self.config["steps"] is None
            every = 2 if fast and hasattr(self.operator, "at_scale") and reusable(prior) else 1
        return self.tiled(prior if every == 1 else ReusingPrior(prior, every))

    @property
    def noise_alone(self) -> bool:
        """Whether noise is all that there is to undo."""
        return isinstance(self.operator, Identity)

    def plain(self, outcome: Outcome, y: Tensor) -> Tensor:
        """What strength=0 gives, in model units: y, or its first guess where y is no picture of the result's size."""
        return y if y.shape[1:] == outcome.pixels.shape[1:] else first_guess(outcome.operator, y)
