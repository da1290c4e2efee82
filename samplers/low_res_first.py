"""Coarse to fine: a sampler on a small version of the problem first, then late, at the full size.

    for r in factors, 1:
        A_r, y_r = A.at_scale(r, y)           the same degradation, 1 / r of the size
        guess    = enlarged x of the coarser pass, made to agree with y_r
        x        = sampler(A_r, y_r) from q(x_t0 | guess)

t0 is the first time whose noise hides what such a guess leaves open (samplers/start/late.py); the
first pass starts as the sampler does by itself. What is large in the picture is settled where the
network sees all of it at once, for 1 / r^2 of the cost; the parameters of a blind operator go on
from pass to pass. This is the hierarchical guidance that GDP (Fei et al., CVPR 2023) describes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import Operator
from samplers.base import Restored, Restorer, Run
from samplers.problem import bound_to
from samplers.restorer import Pass
from samplers.start import NARROW, agreeing

SEED_STRIDE = 0x9E3779B97F4A7C15  # times r, away from a seed: passes draw noise of their own
SMALLEST_SIDE = 8  # pixels of a coarse picture


@dataclass(kw_only=True)
class LowResFirst(Restorer):
    """A sampler at 1 / r of the size for each of `factors`, then at full size.

    With above = 0 an operator without `at_scale` is refused, else it is restored in one pass, as is
    a picture with an `init` of its own.

    Args:
        sampler: what restores at each scale.
        factors: r of each coarse pass, falling.
        share: the later passes make this share of the sampler's steps.
        above: a factor counts where the picture at the scale after it has more pixels than this.
        schedule: the sampler's own if None.
    """

    sampler: Restorer = field(kw_only=False)
    factors: Sequence[int] = (4, 2)
    share: float = 0.5
    above: int = 0
    schedule: Schedule = field(default=cast(Any, None))

    def __post_init__(self) -> None:
        if self.schedule is None:
            self.schedule = self.sampler.schedule
        self.sampler = replace(self.sampler, schedule=self.schedule)

        wrong = [r for r in self.factors if isinstance(r, bool) or not isinstance(r, int) or r < 2]
        if wrong or list(self.factors) != sorted(set(self.factors), reverse=True):
            raise ValueError(
                f"lowres.factors={list(self.factors)}; they are whole numbers above 1, falling, "
                "such as [4, 2]"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"lowres.share={self.share}; it is a share of the steps, in (0, 1]")

    def check(self, operator: Operator) -> None:
        """Raise TypeError if the sampler or, with above = 0, a coarse pass is impossible."""
        self.sampler.check(operator)
        if self.above == 0 and not operator.offers("at_scale"):
            name = type(operator).__name__
            raise TypeError(
                f"lowres= needs operator.at_scale, which {name} does not have; "
                "take lowres=none or lowres=auto"
            )

    def for_operator(self, operator: Operator) -> "LowResFirst":
        """The same, with a sampler that has been chosen for this operator."""
        return replace(self, sampler=self.sampler.for_operator(operator))

    def posed(self, operator: Operator, y: Tensor) -> tuple[Operator, Tensor]:
        """As the sampler is to have it."""
        return self.sampler.posed(operator, y)

    def nfe(self, T: int) -> int:
        """Network calls of a restoration that begins at the first factor."""
        return self.sampler.nfe(T) + len(self.factors) * self.later().nfe(T)

    def passes(self, T: int, operator: Operator, y: Tensor) -> list[int]:
        """Network calls of each pass over this y."""
        return self.sampler.passes(T, operator, y) + [self.later().nfe(T)] * len(
            self.scales(operator, y)
        )

    def expected(self, T: int, operator: Operator, y: Tensor) -> list[Pass]:
        """The first pass is at the coarsest scale, the last one at full size."""
        scales = [*self.scales(operator, y), 1]
        first = self.sampler.expected(T, operator, y)
        later = [Pass(self.later().nfe(T), first[0].pixels)] * (len(scales) - 1)
        sizes = [scales[0]] * len(first) + scales[1:]
        return [
            Pass(one.calls, max(1, one.pixels // r**2))
            for one, r in zip([*first, *later], sizes, strict=True)
        ]

    def restore(self, prior: Prior, operator: Operator, y: Tensor, run: Run) -> Restored:
        """Restore y at each scale that it is large enough for, the coarsest first."""
        scales = [] if run.init is not None else self.scales(operator, y)
        if not scales:
            return self.sampler.restore(prior, operator, y, run)

        def run_at(r: int, init: Restored | None) -> Run:
            seeds = [seed + r * SEED_STRIDE for seed in run.seeds_for(y)]
            keep = None if run.keep is None else run.keep.at(r)
            return replace(run, seeds=seeds, init=init, keep=keep)

        # The coarsest pass starts as the sampler does by itself.
        A, y_r = operator.at_scale(scales[0], y)
        out = self.sampler.restore(prior, A, y_r, run_at(scales[0], None))

        # Each later pass starts from the one before; the full size is r = 1, with run number 0.
        for r in (*scales[1:], 0):
            A, y_r = operator.at_scale(r, y) if r else (operator, y)
            with torch.no_grad():
                bound = bound_to(A, y_r, out.operator)
                sampler, guess = self.finer(prior, bound, y_r, out.x)
            out = sampler.restore(prior, A, y_r, run_at(r, Restored(guess, bound)))
        return out

    def finer(
        self, prior: Prior, A: Operator, y: Tensor, coarse: Tensor
    ) -> tuple[Restorer, Tensor]:
        """The sampler of a later pass, and the picture it starts from."""

        def guess(A: Operator, y: Tensor, small: Tensor) -> Tensor:
            v = F.interpolate(small, A.x_shape(y)[-2:], mode="bicubic", align_corners=False)
            return agreeing(A, v, y, NARROW)

        def guess_of(A: Operator, y: Tensor, x: Tensor) -> Tensor:
            return guess(A, y, F.adaptive_avg_pool2d(x, (coarse.shape[-2], coarse.shape[-1])))

        later = self.later()
        later = replace(later, schedule=replace(later.schedule, start="auto"))
        schedule = later.timed(prior, A, y, guess_of)
        return replace(later, schedule=schedule), guess(A, y, coarse)

    def later(self) -> Restorer:
        """The sampler with the steps of a later pass; where they are auto it chooses them."""
        if isinstance(self.schedule.steps, str):
            return self.sampler
        steps = max(1, round(self.share * self.schedule.steps))
        return replace(self.sampler, schedule=replace(self.schedule, steps=steps))

    def scales(self, operator: Operator, y: Tensor) -> list[int]:
        """The factors that this picture is restored at first."""
        if self.above > 0 and self.sampler.at_once(operator, y):
            return []
        H, W = operator.x_shape(y)[-2:]
        after = zip(self.factors, [*self.factors[1:], 1], strict=True)
        large = [r for r, finer in after if self.above * finer**2 < H * W]
        return [r for r in large if min(H, W) >= SMALLEST_SIDE * r and has_scale(operator, r, y)]


def one_pass(sampler: Restorer) -> Restorer:
    """The sampler itself: what lowres=none makes of it."""
    return sampler


def has_scale(operator: Operator, r: int, y: Tensor) -> bool:
    """Whether the operator has a meaning at 1 / r of the size."""
    try:
        return operator.offers("at_scale") and operator.at_scale(r, y) is not None
    except ValueError:
        return False
