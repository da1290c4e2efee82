"""The one sampling loop. A sampler writes `step`, and `start` if x_T is not white noise.

prepare   bind the operator to y; where a linear A is needed, take A(0) off y
begin     the times to visit, and x at the first of them; or go on from a snapshot
loop      x_t -> x_s by `step`, or back in time by q(x_s | x_t)
"""

import logging
from abc import abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from gdp.prior.exact import exact_float32
from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.storage.snapshot import State
from gdp.storage.state import load_module, module_state
from operators.base import ROUNDED, AffineOperator, LinearOperator, Operator
from samplers.guide.relight import relight
from samplers.problem import Problem, bound_to
from samplers.restorer import DivergedError, OnStep, Pass, Restored, Restorer, Run
from samplers.start import first_guess

__all__ = ["OnStep", "Restored", "Restorer", "Run", "Sampler"]
CHECK_EVERY = 10  # steps between looks for NaN, each of which waits for the device
log = logging.getLogger("gdp")


@dataclass
class Progress:
    """How far a restoration is: with the operator's and the prior's states, all it depends on."""

    pairs: list[tuple[int, int]]  # (t, s) of each step; s > t is a trip back
    x: Tensor  # x at the t of the next step
    done: int = 0  # steps taken, trips back included
    memory: dict[str, Any] = field(default_factory=dict)  # the algorithm's own


@dataclass(kw_only=True)
class Sampler(Restorer):
    """A rule that corrects x0 by y at each time.

    Its fields are the algorithm's constants, named as in its paper.

    Args:
        clip: keep the network's x0 to [-1, 1], as guided-diffusion does; where y leaves much open,
            as colours, what lies beyond grows from step to step.
    """

    needs: ClassVar[tuple[str, ...]] = ()  # methods the operator must have
    clip: bool = False

    def check(self, operator: Operator) -> None:
        """Raise TypeError if the operator lacks a method that the algorithm needs."""
        inner = operator.linear() if isinstance(operator, AffineOperator) else operator
        for method in self.needs:
            if not inner.offers(method):
                works = "ddnm" if inner.offers("pinv") else "gdp_linesearch"
                raise TypeError(
                    f"{type(self).__name__} needs operator.{method}, which "
                    f"{type(operator).__name__} does not have; try sampler=auto or sampler={works}"
                )

    def restore(self, prior: Prior, operator: Operator, y: Tensor, run: Run) -> Restored:
        """The loop, from the first time that the schedule visits to the clean image."""
        seeds, calls = run.seeds_for(y), prior.calls
        start, noise = Noise(seeds, "start"), Noise(seeds, "step")
        init = Restored(run.init, operator) if isinstance(run.init, Tensor) else run.init
        state = None if run.keep is None else run.keep.load(y.device)

        with torch.no_grad(), exact_float32():
            problem = self.prepare(operator, y, init, state)
            if problem.bound.leaves:  # nothing was found to undo
                return Restored(y, problem.bound)
            prior.resume(None if state is None else state.get("prior"))
            if state is None:
                progress = self.begin(prior, problem, run, start)
                self.tell(progress.pairs, progress.x, run)
            else:
                progress = self.go_on(prior, state, noise, run)

            # Pixels that y holds as they are need no network.
            A, y = problem.A, problem.y
            known = A.known(y) if A.sigma_y <= ROUNDED else None
            knowing = prior.knowing(known, lambda: cast(LinearOperator, A).pinv(y))
            with knowing, prior.clipping(self.clip):
                self.loop(progress, problem, prior, noise, run, calls)
        return Restored(progress.x, problem.bound)

    def prepare(
        self, operator: Operator, y: Tensor, init: Restored | None, state: State | None
    ) -> Problem:
        """The problem, with what `init` or a snapshot knows of a blind operator."""
        bound = bound_to(operator, y, None if init is None else init.operator)
        relight(bound, y, getattr(self, "guidance", None))
        if state is not None and state["operator"] is not None:
            load_module(bound, state["operator"])
        problem = Problem.of(bound, y, linear=bool(self.needs))

        if not self.noise_aware and problem.A.sigma_y > ROUNDED:
            log.warning(
                "%s takes y for clean, so its noise stays in the result; sampler=auto removes it",
                type(self).__name__,
            )
        return problem

    def begin(self, prior: Prior, problem: Problem, run: Run, noise: Noise) -> Progress:
        """The times to visit, and x at the first of them: from noise, a first guess or `init`."""
        A, y = problem.A, problem.y
        schedule = self.timed(prior, A, y, run.error)
        pairs = list(schedule.pairs(prior.T))
        if why := self.warning(A.x_shape(y), len(pairs)):
            log.warning("%s %s; try sampler=auto", type(self).__name__, why)

        if run.picture is None and schedule.start == 1:
            return Progress(pairs, self.start(prior, A, y, noise))
        picture = first_guess(A, y) if run.picture is None else run.picture
        return Progress(pairs, self.first(prior, A, y, picture, pairs[0][0], noise))

    def go_on(self, prior: Prior, state: State, noise: Noise, run: Run) -> Progress:
        """Where the snapshot was taken, after a step that `on_step` is told of again."""
        pairs, done, x = state["pairs"], state["done"], state["x"]
        self.tell(pairs, x, run)
        noise.draws = state["draws"]
        prior.calls += state["calls"]
        if run.on_step is not None:
            run.on_step(pairs[done - 1][0], x, state["x0"])
        return Progress(pairs, x, done, dict(state["memory"]))

    def tell(self, pairs: list[tuple[int, int]], x: Tensor, run: Run) -> None:
        """Say what the pass takes that begins here, or goes on."""
        if run.on_pass is not None:
            run.on_pass(Pass(self.calls_of(pairs), x.shape[-2] * x.shape[-1]))

    def calls_of(self, pairs: list[tuple[int, int]]) -> int:
        """Network calls of these steps: one each, and none for a trip back in time."""
        return sum(s < t for t, s in pairs)

    def loop(
        self, progress: Progress, problem: Problem, prior: Prior, noise: Noise, run: Run, calls: int
    ) -> None:
        """The steps that are left; `calls` is what the prior had counted before the first."""
        pairs, memory = progress.pairs, progress.memory
        for i, (t, s) in enumerate(pairs[progress.done :], progress.done):
            if s > t:
                progress.x = prior.diffuse(progress.x, t, s, noise)
                memory.clear()
                continue

            # A blind operator learns from every x0 but the last, which is consistent with it.
            if problem.blind and i and self.needs:
                problem.linearise()
            learns = problem.blind and s > 0
            with problem.learning(prior) if learns else nullcontext():
                A, y = problem.A, problem.y
                progress.x, x0 = self.step(progress.x, t, s, prior, A, y, noise, memory)
            progress.done = i + 1

            if (s == 0 or i % CHECK_EVERY == 0) and not progress.x.isfinite().all():
                raise DivergedError(
                    f"sampling reached NaN or infinity by step {i + 1} of {len(pairs)} (t={t}), so "
                    "nothing is saved; if the prior runs in half precision try prior.dtype=float32"
                    ", else a weaker guidance (sampler.scale, zeta or lr) or more steps"
                )
            if run.on_step is not None:
                run.on_step(t, progress.x, x0)
            if run.keep is not None:
                state = {
                    "pairs": pairs,
                    "done": progress.done,
                    "x": progress.x,
                    "x0": x0,
                    "calls": prior.calls - calls,
                    "draws": noise.draws,
                    "prior": prior.state(),
                    "memory": dict(memory),
                    "operator": module_state(problem.bound) if problem.blind else None,
                }
                run.keep.offer(state)

    def start(self, prior: Prior, A: Operator, y: Tensor, noise: Noise) -> Tensor:
        """x_T: white noise."""
        return noise.like(y.new_empty(A.x_shape(y)))

    def first(
        self, prior: Prior, A: Operator, y: Tensor, guess: Tensor, t: int, noise: Noise
    ) -> Tensor:
        """The state at t, from a first picture and y; a sampler may take more of y than this."""
        return self.noised(prior, A, guess, t, noise)

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
        A: Any,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        """x_t -> (x_s, x0), s < t.

        `memory` is the algorithm's own; it is emptied after a trip back in time.
        """
