"""The one sampling loop. A sampler writes `step`, and `start` if x_T is not white noise."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple, cast

import torch
from torch import Tensor, nn

from gdp.prior.noise import Noise
from gdp.prior.prior import Prediction, Prior
from gdp.prior.schedule import Schedule
from gdp.storage.snapshot import Place, State
from gdp.storage.state import load_module, module_state
from operators.base import ROUNDED, AffineOperator, LinearOperator, Operator
from samplers.start.late import first_guess, hides, late

CHECK_EVERY = 10  # steps between looks for NaN, each of which waits for the device
OnStep = Callable[[int, Tensor, Tensor], None]
log = logging.getLogger("gdp")


class Restored(NamedTuple):
    """A restoration: the image, and the operator as bound (it holds what a blind run found)."""

    x: Tensor  # [B, C, H, W] in [-1, 1]
    operator: Operator


@contextmanager
def fitting(prior: Prior, A: Operator, y: Tensor) -> Iterator[None]:
    """Within it every x0 that the prior gives is shown to the blind operator A, as it is shown to the sampler."""

    def show(module: nn.Module, args: tuple[Tensor, int], prediction: Prediction) -> None:
        with torch.no_grad():
            A.fit(prediction.x0.detach().clamp(-1, 1), y, prior.sigma(args[1]))

    handle = prior.register_forward_hook(show)
    try:
        yield
    finally:
        handle.remove()


@dataclass(kw_only=True)
class Sampler(ABC):
    """Fields are the algorithm's constants, named as in its paper."""

    needs: ClassVar[tuple[str, ...]] = ()  # methods the operator must have
    consistent: ClassVar[bool] = False  # without noise it promises A x = y
    noise_aware: ClassVar[bool] = True  # False: y's noise stays in x
    schedule: Schedule = field(default_factory=Schedule)

    def check(self, operator: Operator) -> None:
        """TypeError if the operator lacks a method that the algorithm needs; costs nothing, so ask before loading weights."""
        inner = operator.linear() if isinstance(operator, AffineOperator) else operator
        for method in self.needs:
            if not hasattr(inner, method):
                works = (
                    "sampler=auto or sampler=ddnm"
                    if hasattr(inner, "pinv")
                    else "sampler=auto or sampler=gdp_x0"
                )
                name, other = type(self).__name__, type(operator).__name__
                raise TypeError(
                    f"{name} needs operator.{method}, which {other} does not have; try {works}"
                )

    def nfe(self, T: int) -> int:
        """Network calls of a restoration, for a prior of T steps."""
        return self.schedule.nfe(T)

    def passes(self, T: int, operator: Operator, y: Tensor) -> list[int]:
        """Network calls of each pass over y, one after the other."""
        return [self.nfe(T)]

    def __call__(
        self,
        prior: Prior,
        operator: Operator,
        y: Tensor,
        seeds: Sequence[int] | None = None,
        init: "Restored | Tensor | None" = None,
        on_step: OnStep | None = None,
        keep: Place | None = None,
    ) -> Restored:
        """Restore y [B, ...] in [-1, 1].

        One seed per image makes its result independent of the batch. `init` is a picture [B, C, H, W] to start from, or a
        restoration whose operator goes on too; it is noised to the schedule's first time. A schedule that starts late makes its
        own, the first guess of samplers/start/late.py. `on_step(t, x, x0)` follows every step. `keep` is told how far it is after every
        step; where it knows of such a state already, the restoration goes on from there, and comes to the same result; the network
        calls that led there count as made. Raises TypeError (operator lacks a method) or ValueError (schedule, seeds or size do not
        fit; sampling diverged).
        """
        self.check(operator)
        if isinstance(init, Tensor):
            init = Restored(init, operator)
        seeds = list(range(len(y)) if seeds is None else seeds)
        start, noise = Noise(seeds, "start"), Noise(seeds, "step")
        memory: dict[str, Any] = {}
        state, calls = None if keep is None else keep.load(y.device), prior.calls
        with torch.no_grad():
            bound = operator.bind(y, None if init is None else init.operator)
            A, given = bound, y
            blind = any(True for _ in bound.parameters())
            if state is not None and blind:
                load_module(bound, state["operator"])
            affine = bound if self.needs and isinstance(bound, AffineOperator) else None
            if affine:
                A, y = affine.linear(), given - affine.offset(given)
            if not self.noise_aware and A.sigma_y > ROUNDED:
                log.warning(
                    "%s takes y for clean, so its noise stays in the result; sampler=auto removes it",
                    type(self).__name__,
                )
            prior.resume(None if state is None else state.get("prior"))
            if state is None:
                pairs, x = self.begin(prior, A, y, init, start)
                done = 0
            else:
                pairs, x, done, memory, noise.draws = (
                    state[key] for key in ("pairs", "x", "done", "memory", "draws")
                )
                memory = dict(memory)
                prior.calls += state["calls"]
                if on_step is not None:
                    on_step(pairs[done - 1][0], x, state["x0"])
            known = A.known(y) if A.sigma_y <= ROUNDED else None
            with prior.knowing(known, lambda: cast(LinearOperator, A).pinv(y)):
                for i, (t, s) in enumerate(pairs[done:], done):
                    if s > t:
                        x = prior.diffuse(x, t, s, noise)
                        memory.clear()
                        continue
                    if affine and blind and i:
                        A, y = affine.linear(), given - affine.offset(given)
                    fits = blind and s > 0  # the last x is consistent with A as it was found
                    with fitting(prior, bound, given) if fits else nullcontext():
                        x, x0 = self.step(x, t, s, prior, A, y, noise, memory)
                    if (s == 0 or i % CHECK_EVERY == 0) and not x.isfinite().all():
                        raise ValueError(
                            f"sampling reached NaN or infinity by step {i + 1} of {len(pairs)} (t={t}), so nothing is saved; if the prior "
                            "runs in half precision try prior.dtype=float32, else a weaker guidance (sampler.scale, zeta or lr) or more "
                            "steps"
                        )
                    if on_step is not None:
                        on_step(t, x, x0)
                    if keep is not None:
                        now: State = {
                            "pairs": pairs,
                            "done": i + 1,
                            "x": x,
                            "x0": x0,
                            "calls": prior.calls - calls,
                            "draws": noise.draws,
                        }
                        own = {
                            "prior": prior.state(),
                            "memory": dict(memory),
                            "operator": module_state(bound) if blind else None,
                        }
                        keep.offer(now | own)
        return Restored(x, bound)

    def begin(
        self, prior: Prior, A: Operator, y: Tensor, init: Restored | None, noise: Noise
    ) -> tuple[list[tuple[int, int]], Tensor]:
        """The times to visit, and x at the first of them."""
        schedule = late(self.schedule, prior, A, y, noise=partial(self.hides, A))
        pairs = list(schedule.pairs(prior.T))
        if init is None and schedule.start == 1:
            return pairs, self.start(prior, A, y, noise)
        return pairs, self.noised(
            prior, A, first_guess(A, y) if init is None else init.x, pairs[0][0], noise
        )

    def start(self, prior: Prior, A: Operator, y: Tensor, noise: Noise) -> Tensor:
        """x_T: white noise."""
        return noise.like(y.new_empty(A.x_shape(y)))

    def hides(self, A: Operator, error: float) -> float:
        """The noise, sqrt((1 - a) / a), from which to start where a guess has this error."""
        return hides(error)

    def noised(self, prior: Prior, A: Operator, x: Tensor, t: int, noise: Noise) -> Tensor:
        """The state at t from a first picture x [B, C, H, W]: q(x_t | x)."""
        return prior.diffuse(x, 0, t, noise)

    @abstractmethod
    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: Operator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        """x_t -> (x_s, x0), s < t. `memory` is the algorithm's own; it is emptied after a trip back in time."""
