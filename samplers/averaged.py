"""The weighted mean of several restorations of one photo: of draws, and of their mean and a draw.

    mean       = 1/n sum_k x_k                      x_k: of noise of its own, seen another way round
    x(detail)  = (1 - detail) mean + detail draw

The mean of draws is nearer to the posterior's mean. From there to a draw leads a straight line: no
restoration with as much detail has less error, where both ends are what they are meant to be
(Freirich et al., A Theory of the Distortion-Perception Tradeoff in Wasserstein Space, NeurIPS 2021,
theorem 3). A blind operator, whose ends would be two operators, is restored once.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import Operator
from samplers.base import Restored, Run, Sampler
from samplers.problem import Problem

DRAW_STRIDE = 0x632BE59BD9B4E019  # between the seeds of the restorations of a mean


class Part(NamedTuple):
    """One restoration of several."""

    weight: float  # they sum to 1
    sampler: "Averaged"  # its times are found
    draw: int = 0  # of a mean; its noise is of that draw's own


@dataclass(kw_only=True)
class Averaged(Sampler):
    """A sampler that may restore a photo several times.

    Args:
        draws: the mean of so many restorations, where the guess is near.
        detail: 0 is the posterior's mean, 1 a draw of it, and others lie between the two.
    """

    draws: int = 1
    detail: float = 0.0

    @abstractmethod
    def averages(self, A: Operator, prior: Prior, schedule: Schedule) -> bool:
        """Whether restorations differ in error alone, so that their mean has less of it."""

    @abstractmethod
    def draw(self, schedule: Schedule, k: int) -> "Averaged":
        """The k-th restoration of a mean."""

    def ends(self) -> tuple["Averaged", "Averaged"]:
        """The mean and the draw between which the result lies."""
        return replace(self, detail=0.0), replace(self, detail=1.0, draws=1)

    def between(self, operator: Operator) -> bool:
        """Whether the result lies between a mean and a draw, each restored by itself."""
        return 0 < self.detail < 1 and not operator.blind

    def several(self, operator: Operator) -> bool:
        """Whether there may be more than one restoration."""
        mean = self.draws > 1 and self.detail == 0 and not operator.blind
        return mean or self.between(operator)

    def restore(self, prior: Prior, operator: Operator, y: Tensor, run: Run) -> Restored:
        """One restoration, or the weighted mean of several."""
        if not self.several(operator):
            return super().restore(prior, operator, y, run)
        A = Problem.of(operator.bind(y), y, linear=True).A
        with torch.no_grad():
            parts = self.parts(prior, A, y, run)

        # What all of them take
        if run.on_pass is not None:
            whole = self.expected(prior.T, operator, y)[0]
            calls = sum(part.sampler.nfe(prior.T) for part in parts)
            run.on_pass(whole._replace(calls=calls))

        # One after the other, each with a snapshot of its own
        pictures, bound = [], operator
        for k, part in enumerate(parts):
            seeds = [seed + part.draw * DRAW_STRIDE for seed in run.seeds_for(y)]
            keep = None if run.keep is None else run.keep.at(k)
            one = replace(run, seeds=seeds, keep=keep, on_pass=None)
            found = part.sampler.restore(prior, operator, y, one)
            pictures.append(part.weight * found.x)
            bound = found.operator
        return Restored(torch.stack(pictures).sum(0), bound)

    def parts(self, prior: Prior, A: Operator, y: Tensor, run: Run) -> list[Part]:
        """The restorations whose weighted mean is the result."""
        if 0 < self.detail < 1:
            mean, draw = (end.parts(prior, A, y, run) for end in self.ends())
            lighter = [part._replace(weight=(1 - self.detail) * part.weight) for part in mean]
            return lighter + [part._replace(weight=self.detail) for part in draw]

        schedule = self.timed(prior, A, y, run.error)
        if self.draws == 1:
            return [Part(1.0, replace(self, schedule=schedule))]
        count = self.draws if self.averages(A, prior, schedule) else 1
        return [Part(1 / count, self.draw(schedule, k), k) for k in range(count)]
