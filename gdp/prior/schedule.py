"""Noise schedules of the prior, and which times a sampler visits."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def betas(steps: int = 1000, schedule: str = "linear") -> Tensor:
    """beta_1..beta_T of a DDPM.

    Args:
        steps: T.
        schedule: linear, 1e-4..0.02 at T = 1000 (DDPM, section 4), or cosine (improved DDPM,
            Eq. 17).

    Returns:
        [T], float64.

    Raises:
        ValueError: the schedule is neither.
    """
    if schedule == "linear":
        return torch.linspace(0.1 / steps, 20 / steps, steps, dtype=torch.float64)
    if schedule == "cosine":
        f = [math.cos((i / steps + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(steps + 1)]
        return torch.tensor(
            [min(1 - f[i + 1] / f[i], 0.999) for i in range(steps)], dtype=torch.float64
        )
    raise ValueError(f"unknown noise schedule {schedule!r}; it is linear or cosine")


def strided(T: int, steps: int) -> list[int]:
    """1, 1 + k, 1 + 2k ..., k = T // steps: DDIM's and DDNM's times, which end below T."""
    return list(range(1, 1 + steps * (T // steps), T // steps))


def respaced(T: int, sections: Sequence[int]) -> list[int]:
    """guided-diffusion's respacing: both ends of every section are visited.

    Args:
        T: the number of times, which are split into equal sections.
        sections: how many times to visit in each, evenly.

    Raises:
        ValueError: a section has fewer times than that.
    """
    times, first = [], 1
    for i, count in enumerate(sections):
        size = T // len(sections) + (i < T % len(sections))
        if count > size:
            raise ValueError(
                f"cannot visit {count} times in a section of {size}; ask for at most {size} steps"
            )

        stride = (size - 1) / (count - 1) if count > 1 else 1
        times += [first + round(k * stride) for k in range(count)]
        first += size
    return times


def quadratic(T: int, steps: int) -> list[int]:
    """Times even in t^2, so densest where the noise is strong (DiffPIR).

    Times that round to one another are visited once.
    """
    step = (T**2 - 1) / max(steps - 1, 1)
    return sorted({round(math.sqrt(T**2 - k * step)) for k in range(steps)})


def squared(T: int, steps: int) -> list[int]:
    """Times even in sqrt(t), so densest where the noise is weak (DDIM's quadratic).

    Times that round to one another are visited once.
    """
    return sorted({1 + round((T - 1) * (k / max(steps - 1, 1)) ** 2) for k in range(steps)})


SPACINGS = {
    "strided": strided,
    "respaced": lambda T, steps: respaced(T, [steps]),
    "quadratic": quadratic,
    "squared": squared,
}

AUTO_STEPS = 20  # steps=auto, until it is known what is to be restored


@dataclass(frozen=True)
class Schedule:
    """The times that a sampler visits, from high to low, and then 0, the clean image.

    Time travel is RePaint's, as in DDNM, Algorithm 2.

    Args:
        steps: how many times are visited. auto is for samplers.start.few to choose; until then it
            counts as AUTO_STEPS.
        travel: l, the steps of a stretch that is walked more than once.
        repeat: r, how often each stretch is walked.
        start: the highest time as a share of T. auto is for samplers.start.late to choose; until
            then it counts as 1.
        spacing: one of SPACINGS.
        end: the lowest time as a share of T, or auto, which counts as 0.

    Raises:
        ValueError: one of them is out of its range.
    """

    steps: int | str = 50
    travel: int = 1
    repeat: int = 1
    start: float | str = 1.0
    spacing: str = "strided"
    end: float | str = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "travel", "repeat"):
            value = getattr(self, name)
            if name == "steps" and value == "auto":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"{name}={value!r} in the sampling schedule; "
                    "it must be a whole number, 1 or more"
                )

        start, end = self.start, self.end
        if start != "auto" and not (isinstance(start, int | float) and 0 < start <= 1):
            raise ValueError(
                f"start={start!r} in the sampling schedule; "
                "it is a fraction of T in (0, 1], or auto"
            )
        if end != "auto" and not (isinstance(end, int | float) and 0 <= end < 1):
            raise ValueError(
                f"end={end!r} in the sampling schedule; it is a fraction of T in [0, 1), or auto"
            )
        if self.spacing not in SPACINGS:
            raise ValueError(
                f"unknown spacing {self.spacing!r}; it is one of {', '.join(SPACINGS)}"
            )

    @property
    def count(self) -> int:
        """The steps as a number."""
        return AUTO_STEPS if isinstance(self.steps, str) else self.steps

    def times(self, T: int) -> list[int]:
        """The times visited, rising; 0, which is not among them, comes before the first.

        Raises:
            ValueError: there are fewer times between the ends than steps.
        """
        low, top = self.ends(T)
        count, steps = top - low + 1, self.count
        if steps > count:
            raise ValueError(
                f"steps={self.steps}, but the prior has {count} times to visit; "
                f"ask for 1 to {count} steps"
            )
        return [t + low - 1 for t in SPACINGS[self.spacing](count, steps)]

    def ends(self, T: int) -> tuple[int, int]:
        """The least and the greatest time that may be visited."""
        low = 1 if isinstance(self.end, str) else max(1, round(self.end * T))
        return low, T if isinstance(self.start, str) else max(1, round(self.start * T))

    def pairs(self, T: int) -> Iterator[tuple[int, int]]:
        """The walk in pairs (t, s): step from t to s < t, or travel back to s > t."""
        grid = [0, *self.times(T)]
        starts = range(0, len(grid) - 1 - self.travel, self.travel)
        walks_left = {j + 1: self.repeat - 1 for j in starts}

        i = len(grid) - 1
        while i > 0:
            yield grid[i], grid[i - 1]
            i -= 1
            if walks_left.get(i, 0) > 0:
                walks_left[i] -= 1
                yield grid[i], grid[i + self.travel]
                i += self.travel

    def nfe(self, T: int) -> int:
        """Steps in all, repeated ones included: the network calls of most samplers."""
        return sum(s < t for t, s in self.pairs(T))
