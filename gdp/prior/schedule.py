"""Noise schedules of the prior, and which times a sampler visits."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def betas(steps: int = 1000, schedule: str = "linear") -> Tensor:
    """beta_1..beta_T in float64: linear 1e-4..0.02 at T = 1000 (DDPM), or cosine (improved DDPM, Eq. 17)."""
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
    """guided-diffusion's respacing: T split into equal sections, each visited evenly from its first time to its last."""
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
    """Even in t^2, so densest where the noise is strong (DiffPIR); times that round to one another are visited once."""
    step = (T**2 - 1) / max(steps - 1, 1)
    return sorted({round(math.sqrt(T**2 - k * step)) for k in range(steps)})


def squared(T: int, steps: int) -> list[int]:
    """Even in sqrt(t), so densest where the noise is weak (DDIM's quadratic); times that round to one another are visited once."""
    return sorted({1 + round((T - 1) * (k / max(steps - 1, 1)) ** 2) for k in range(steps)})


SPACINGS = {
    "strided": strided,
    "respaced": lambda T, steps: respaced(T, [steps]),
    "quadratic": quadratic,
    "squared": squared,
}


@dataclass(frozen=True)
class Schedule:
    """`steps` times from `start` * T down to `end` * T, then 0; each stretch of `travel` steps is walked `repeat` times.

    Time travel is RePaint's, as in DDNM, Algorithm 2 (`travel` = l, `repeat` = r). `spacing`: strided, respaced, quadratic or squared.
    `start` and `end` = auto are for samplers.late to choose; until then they count as 1 and 0.
    """

    steps: int = 50
    travel: int = 1
    repeat: int = 1
    start: float | str = 1.0
    spacing: str = "strided"
    end: float | str = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "travel", "repeat"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"{name}={value!r} in the sampling schedule; it must be a whole number, 1 or more"
                )
        if self.start != "auto" and not (
            isinstance(self.start, int | float) and 0 < self.start <= 1
        ):
            raise ValueError(
                f"start={self.start!r} in the sampling schedule; it is a fraction of T in (0, 1], or auto"
            )
        if self.end != "auto" and not (isinstance(self.end, int | float) and 0 <= self.end < 1):
            raise ValueError(
                f"end={self.end!r} in the sampling schedule; it is a fraction of T in [0, 1), or auto"
            )
        if self.spacing not in SPACINGS:
            raise ValueError(
                f"unknown spacing {self.spacing!r}; it is one of {', '.join(SPACINGS)}"
            )

    def times(self, T: int) -> list[int]:
        """The times visited, rising; 0 (the clean image) comes before the first of them."""
        low, top = self.ends(T)
        if self.steps > top - low + 1:
            raise ValueError(
                f"steps={self.steps}, but the prior has {top - low + 1} times to visit; ask for 1 to {top - low + 1} steps"
            )
        return [t + low - 1 for t in SPACINGS[self.spacing](top - low + 1, self.steps)]

    def ends(self, T: int) -> tuple[int, int]:
        """The least and the greatest time that may be visited."""
        low = 1 if isinstance(self.end, str) else max(1, round(self.end * T))
        return low, T if isinstance(self.start, str) else max(1, round(self.start * T))

    def pairs(self, T: int) -> Iterator[tuple[int, int]]:
        """(t, s): step from t to s < t, or travel back to s > t."""
        grid = [0, *self.times(T)]
        left = {j + 1: self.repeat - 1 for j in range(0, len(grid) - 1 - self.travel, self.travel)}
        i = len(grid) - 1
        while i > 0:
            yield grid[i], grid[i - 1]
            i -= 1
            if left.get(i, 0) > 0:
                left[i] -= 1
                yield grid[i], grid[i + self.travel]
                i += self.travel

    def nfe(self, T: int) -> int:
        """Steps in all, travel included: the number of network calls of a one-call-a-step sampler."""
        return sum(s < t for t, s in self.pairs(T))
