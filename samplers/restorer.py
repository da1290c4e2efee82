"""What restores a photo, as the rest of the program sees it: samplers, and what wraps them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple, cast

from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from gdp.storage.snapshot import Slot
from operators.base import Operator
from samplers.start.late import hides, late
from samplers.start.photo_like import Guess

OnStep = Callable[[int, Tensor, Tensor], None]  # (t, x, x0) after each step
OnPass = Callable[["Pass"], None]  # what a pass takes, as it begins


class DivergedError(ValueError):
    """Sampling reached NaN or infinity."""


class Pass(NamedTuple):
    """A pass over a picture: what it takes."""

    calls: int  # of the network
    pixels: int  # of the picture


class Restored(NamedTuple):
    """A restoration: the image, and the operator as bound (it holds what a blind run found)."""

    x: Tensor  # [B, C, H, W] in [-1, 1]
    operator: Operator


@dataclass(frozen=True)
class Run:
    """What accompanies one restoration besides y.

    Args:
        seeds: one per image, which makes its result independent of the batch; 0, 1, 2 ... if None.
        init: a picture [B, C, H, W] in [-1, 1] to start from, or a restoration whose operator goes
            on too; it is noised to the schedule's first time.
        error: what is wrong with `init` where it is worst, in [-1, 1] units; None: as much as with
            the first guess.
        on_step: follows every step, as `on_step(t, x, x0)`.
        keep: the slot of a snapshot where its state is kept after every step. Where the slot holds
            a state already, the restoration goes on from there and comes to the same result; the
            network calls that led there count as made.
        on_pass: is told what a pass takes as it begins, when its times are known.
    """

    seeds: Sequence[int] | None = None
    init: Restored | Tensor | None = None
    on_step: OnStep | None = None
    keep: Slot | None = None
    on_pass: OnPass | None = None
    error: float | None = None

    @property
    def picture(self) -> Tensor | None:
        """The picture to start from, if one is given."""
        return self.init if isinstance(self.init, Tensor | None) else self.init.x

    def seeds_for(self, y: Tensor) -> list[int]:
        """The seed of each image of y [B, ...]."""
        return list(range(len(y)) if self.seeds is None else self.seeds)


@dataclass(kw_only=True)
class Restorer(ABC):
    """Anything that restores: a sampler, or a wrapper that hands y to samplers."""

    consistent: ClassVar[bool] = False  # without noise it promises A x = y
    noise_aware: ClassVar[bool] = True  # False: y's noise stays in x
    whitens: ClassVar[bool] = True  # False: it descends, and gets y as it is (`posed`)
    schedule: Schedule = field(default_factory=Schedule)

    def check(self, operator: Operator) -> None:  # noqa: B027 (most have nothing to check)
        """Raise TypeError if the operator does not fit: asked before the weights load."""

    def for_operator(self, operator: Operator) -> "Restorer":
        """What restores photos of this operator; a wrapper that chooses by it has chosen then."""
        return self

    def posed(self, operator: Operator, y: Tensor) -> tuple[Operator, Tensor]:
        """The problem that `restore` is to solve, of a y with noise of any kind.

        W A is worse conditioned the more the noise differs among frequencies: where it is least,
        W is largest. Steps along the gradient, or few conjugate gradients, are as long as W's
        largest weights allow, and never come near y at the others; the noise that they carry over
        is white to them as well. They are given y as it is.

        Args:
            operator: the degradation, not bound.
            y: the measurement, [B, ...] in [-1, 1].

        Returns:
            W A and W y; for a sampler that does not whiten, A with white noise of the same rms,
            and y.
        """
        A, whitened = operator.whitened(y)
        if self.whitens or not A.offers("unwhitened"):
            return A, whitened
        return cast(Any, A).unwhitened, y

    def nfe(self, T: int) -> int:
        """Network calls of a restoration, for a prior of T steps."""
        return self.schedule.nfe(T)

    def passes(self, T: int, operator: Operator, y: Tensor) -> list[int]:
        """Network calls of each pass over y, one after the other."""
        return [self.nfe(T)]

    def expected(self, T: int, operator: Operator, y: Tensor) -> list[Pass]:
        """What is known of the passes over y before they begin; the times may yet be fewer."""
        H, W = operator.x_shape(y)[-2:]
        return [Pass(calls, H * W) for calls in self.passes(T, operator, y)]

    def timed(self, prior: Prior, A: Operator, y: Tensor, guess: Guess | None = None) -> Schedule:
        """The schedule with all that is auto resolved.

        Args:
            prior: for its noise at each time.
            A: the degradation, bound, with y's noise.
            y: the measurement.
            guess: from what the restoration starts, or how wrong it is; None is the first guess.
        """
        return late(self.schedule, prior, A, y, guess, partial(self.hides, A))

    def at_once(self, operator: Operator, y: Tensor) -> bool:
        """Whether a coarse pass before it would tell nothing new."""
        return False

    def warning(self, shape: tuple[int, ...], steps: int) -> str:
        """Why a result may be worse than its photo, at this size and number of steps, or ""."""
        return ""

    def hides(self, A: Operator, error: float) -> float:
        """The noise, sqrt((1 - a) / a), from which to start where a guess has this error."""
        return hides(error)

    @abstractmethod
    def restore(self, prior: Prior, operator: Operator, y: Tensor, run: Run) -> Restored:
        """Restore y [B, ...] in [-1, 1]; `check` has let the operator pass."""

    def __call__(
        self,
        prior: Prior,
        operator: Operator,
        y: Tensor,
        seeds: Sequence[int] | None = None,
        init: Restored | Tensor | None = None,
        on_step: OnStep | None = None,
        keep: Slot | None = None,
    ) -> Restored:
        """Restore y.

        Args:
            prior: the diffusion prior.
            operator: the degradation, with y's noise in `sigma_y`; it is bound to y here.
            y: what it made of the photos, [B, ...] in [-1, 1].
            seeds, init, on_step, keep: see `Run`.

        Raises:
            TypeError: the operator lacks a method.
            ValueError: schedule, seeds or size do not fit, or sampling diverged.
        """
        self.check(operator)

        return self.restore(prior, operator, y, Run(seeds, init, on_step, keep))
