"""Coarse to fine: any sampler on a small version of the problem first, then late, in few steps, at the full size.

    for r in factors, 1:
        A_r, y_r = A.at_scale(r, y)                             the same degradation, 1 / r of the size
        guess    = enlarged x of the coarser pass, made to agree with y_r
        x        = sampler(A_r, y_r) from q(x_t0 | guess)       t0: the first time whose noise hides what such a guess leaves open
                                                                (samplers/start/late.py); the sampler's own start in the first pass

What is large in the picture is settled where the network sees all of it at once, for 1 / r^2 of the cost; the parameters of a blind
operator go on from pass to pass. This is the hierarchical guidance that GDP (Fei et al., CVPR 2023) describes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from gdp.storage.snapshot import Place
from operators.base import Operator
from samplers.base import OnStep, Restored, Sampler
from samplers.start.late import NARROW, agreeing, late

OTHER = 0x9E3779B97F4A7C15  # times r, away from a seed: passes draw noise of their own
SMALLEST = 8  # pixels a side of a coarse picture


@dataclass(kw_only=True)
class LowResFirst(Sampler):
    """`sampler` at 1 / r of the size for each of `factors`, then at full size; the later passes make `share` of its steps.

    A factor counts where the picture at the scale after it has more than `above` pixels. With above = 0 an operator without `at_scale` is
    refused, else it is restored in one pass, as is a picture with an `init` of its own.
    """

    sampler: Sampler = field(kw_only=False)
    factors: Sequence[int] = (4, 2)
    share: float = 0.5
    above: int = 0
    schedule: Schedule = field(default=cast(Any, None))  # the sampler's own

    def __post_init__(self) -> None:
        if self.schedule is None:
            self.schedule = self.sampler.schedule
        self.sampler = replace(self.sampler, schedule=self.schedule)
        wrong = [r for r in self.factors if isinstance(r, bool) or not isinstance(r, int) or r < 2]
        if wrong or list(self.factors) != sorted(set(self.factors), reverse=True):
            raise ValueError(
                f"lowres.factors={list(self.factors)}; they are whole numbers above 1, falling, such as [4, 2]"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"lowres.share={self.share}; it is a share of the steps, in (0, 1]")

    def check(self, operator: Operator) -> None:
        self.sampler.check(operator)
        if self.above == 0 and not hasattr(operator, "at_scale"):
            name = type(operator).__name__
            raise TypeError(
                f"lowres= needs operator.at_scale, which {name} does not have; take lowres=none or lowres=auto"
            )

    def nfe(self, T: int) -> int:
        """Network calls of a restoration that begins at the first factor; `passes` tells those of a given picture."""
        return self.sampler.nfe(T) + len(self.factors) * self.later().nfe(T)

    def passes(self, T: int, operator: Operator, y: Tensor) -> list[int]:
        return [self.sampler.nfe(T)] + [self.later().nfe(T)] * len(self.scales(operator, y))

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
        self.check(operator)
        scales = [] if init is not None else self.scales(operator, y)
        if not scales:
            return self.sampler(prior, operator, y, seeds, init, on_step, keep)
        seeds = list(range(len(y)) if seeds is None else seeds)
        coarse, *finer = (scaled_down(operator, r, y) for r in (*scales, 1))
        places = {r: None if keep is None else keep.at(r) for r in (*scales, 0)}
        out = self.sampler(
            prior,
            *coarse,
            [seed + scales[0] * OTHER for seed in seeds],
            None,
            on_step,
            places[scales[0]],
        )
        for (A, y_r), r in zip(finer, (*scales[1:], 0), strict=True):
            with torch.no_grad():
                sampler, guess = self.finer(prior, A.bind(y_r, out.operator), y_r, out.x)
            out = sampler(
                prior,
                A,
                y_r,
                [seed + r * OTHER for seed in seeds],
                Restored(guess, out.operator),
                on_step,
                places[r],
            )
        return out

    def finer(self, prior: Prior, A: Operator, y: Tensor, coarse: Tensor) -> tuple[Sampler, Tensor]:
        """The sampler of a later pass, and the picture it starts from."""

        def guess(A: Operator, y: Tensor, small: Tensor) -> Tensor:
            v = F.interpolate(small, A.x_shape(y)[-2:], mode="bicubic", align_corners=False)
            return agreeing(A, v, y, NARROW)

        def from_truth(A: Operator, y: Tensor, x: Tensor) -> Tensor:
            return guess(A, y, F.adaptive_avg_pool2d(x, (coarse.shape[-2], coarse.shape[-1])))

        later = self.later()
        schedule = late(
            replace(later.schedule, start="auto"), prior, A, y, from_truth, partial(later.hides, A)
        )
        return replace(later, schedule=schedule), guess(A, y, coarse)

    def later(self) -> Sampler:
        """The sampler with the steps of a later pass."""
        steps = max(1, round(self.share * self.schedule.steps))
        return replace(self.sampler, schedule=replace(self.schedule, steps=steps))

    def scales(self, operator: Operator, y: Tensor) -> list[int]:
        """The factors that this picture is restored at first."""
        H, W = operator.x_shape(y)[-2:]
        after = zip(self.factors, [*self.factors[1:], 1], strict=True)
        large = [r for r, finer in after if self.above * finer**2 < H * W]
        return [r for r in large if min(H, W) >= SMALLEST * r and offers(operator, r, y)]

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
        return self.sampler.step(x, t, s, prior, A, y, noise, memory)


def one_pass(sampler: Sampler) -> Sampler:
    """The sampler itself."""
    return sampler


def scaled_down(operator: Operator, r: int, y: Tensor) -> tuple[Operator, Tensor]:
    """The operator and y at 1 / r of the size."""
    return (operator, y) if r == 1 else cast(Any, operator).at_scale(r, y)


def offers(operator: Operator, r: int, y: Tensor) -> bool:
    """Whether the operator has a meaning at this scale."""
    try:
        return hasattr(operator, "at_scale") and scaled_down(operator, r, y) is not None
    except ValueError:
        return False
