"""What a restoration is made with: operator, sampler, prior and settings."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import torch

from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior, reusable
from gdp.prior.tiling import TiledPrior
from gdp.restore.first.stage_one import StageOne
from gdp.restore.scores.choice import Choice
from operators.base import Operator
from operators.identity import Identity
from samplers.restorer import Restorer

AUTO = "auto"  # the sigma_y that stands for an estimate, the batch that memory chooses
PIXELS_ON_CPU, PIXELS_ON_CUDA = 2**18, 2**22  # of the pictures in a network call that memory bears
REUSE_WHEN_FAST = 2


class Setup(NamedTuple):
    """What a configuration describes. The prior is made on demand, since its weights are heavy."""

    operator: Operator
    sampler: Restorer
    bare_prior: Callable[[], Prior]
    tiled: Callable[[Prior], Prior]
    config: dict[str, Any]  # the settings, resolved
    choices: dict[str, str]  # of each group of conf/; a class for an object that was given
    overrides: list[str]  # words of the command line that may change the numbers
    cosmetic: Collection[str]  # settings that do not change the numbers
    scores: Choice = Choice()  # what results are scored by
    stage_one: StageOne | None = None  # the restorer that goes before the prior
    before: "tuple[tuple[str, Setup], ...]" = ()  # tasks that go before, in their order
    cleaned: "Setup | None" = None  # what takes a photo's noise away before all else
    decoded: "Setup | None" = None  # what undoes the compression of a JPEG file before all else

    def load_prior(self) -> Prior:
        """The prior, in tiles, and with `reuse`; one that comes in tiles keeps its own."""
        prior = self.bare_prior()
        if isinstance(prior, TiledPrior):
            return prior

        every = self.config["reuse"]
        if every is None:
            fast = self.config["quality"] == "fast" and self.config["steps"] is None
            many = self.sampler.schedule.steps != "auto"  # where calls are few, each counts
            local = self.operator.offers("at_scale")  # places keep their meaning
            every = REUSE_WHEN_FAST if fast and many and local and reusable(prior) else 1
        return self.tiled(prior if every == 1 else ReusingPrior(prior, every))

    @property
    def noise_alone(self) -> bool:
        """Whether noise is all that there is to undo."""
        return isinstance(self.operator, Identity)

    def doubts(self, flat: bool) -> bool:
        """Whether a photo's noise may be texture: all that was found is; if it is all, by colour.

        The frames of a film that is denoised are to lose the same share of theirs.

        Args:
            flat: whether the noise is the same at all frequencies, so that it may have been told.
        """
        if self.operator.careful:
            return bool(self.config["noise"] != "jpeg")
        alone = self.noise_alone and not self.config["video"]
        return alone and self.config["noise"] == AUTO and not flat

    @property
    def shareable(self) -> bool:
        """Whether photos may share network calls at all.

        They may not where something is found or drawn for each of them, which makes A its own.
        """
        estimated = self.config["sigma_y"] == AUTO or self.config["poisson"] is not None
        found = self.operator.blind or self.operator.of_one_photo
        alone = self.stage_one or self.several or self.config["adapt"]
        return not (estimated or self.config["scene"] or found or alone)

    @property
    def several(self) -> bool:
        """Whether a photo depends on results before it: of other tasks, or of a film's frames."""
        return bool(self.before) or bool(self.config["video"])

    @property
    def seeds(self) -> list[int]:
        """The seed of each sample."""
        return [self.config["seed"] + k for k in range(self.config["samples"])]

    def at_once(self, size: Sequence[int], device: torch.device) -> int:
        """How many results of a size (height, width) may go through the network together."""
        if self.config["batch"] != AUTO:
            return int(self.config["batch"])
        pixels = PIXELS_ON_CUDA if device.type == "cuda" else PIXELS_ON_CPU
        return max(1, pixels // (size[0] * size[1]))
