"""Degradations in a row of which each can be undone, from the last to the first.

z_0 = x,  z_i = A_i(z_i-1),  y = z_k + n
u_k = y,  u_i-1 = argmin ||A_i(z) - u_i||^2 + rho_i ||z - z_i-1||^2     prox: u_0
tau_i^2 = r_i^2 + tau_i+1^2 / c_i+1^2     r: what a part rounds away;  tau_k^2 = r_k^2 + |n|^2
rho_i   = rho (tau_i / (c_1 ... c_i-1 sigma_y))^2
                                          c: the slope of a curve, 1 of what is linear or rounds
sigma_y^2 = |n|^2 + sum (g_i r_i)^2       g_i: what the parts after A_i make of white noise

Where y has no noise each u is the picture next to z that agrees with it (`project`); grey levels
are known then. What a part lost, such as clipped light, is taken from z, and so from x: of the
whole no closed form is needed.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple

from torch import Tensor

from operators.base import ROUNDED, Operator
from operators.coded.jpeg import JPEG
from operators.coded.rows.forward import Chain
from operators.coded.rows.parts import gains, less_dark, linear_of, rounds, slopes_of, undo
from operators.contract import AddNoise
from operators.tools.rms import rms_of

LOST = 0.3  # of the error of a guess of what is lost, by which a linear part before is careful


def rounded_away(op: Operator, z: Tensor, level: float) -> float:
    """The std of what a part rounds away, where that is noise; grey levels are known without."""
    return op.error(z) if rounds(op) and (level > ROUNDED or isinstance(op, JPEG)) else 0.0


class Found(NamedTuple):
    """What a y tells of operators in a row."""

    level: float  # std of y's own noise, [-1, 1] units
    rounded: tuple[float, ...]  # r of each operator
    slopes: tuple[float, ...]  # c of each


class Undone(Chain):
    """A row of operators that can be undone one by one, not all of them linear.

    Args:
        ops: A_1 first; a `NoiseHere` says where noise joins in, the end if none.

    Attributes:
        found: what `for_photo` has found.
    """

    found: Found | None = None

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        y, _ = super().degrade(x, add_noise)
        same, seen = self.with_noise(self.sigma_y), self.steps(x)
        same.noise_gain = gains(self.parts(), seen[:-1])[self.before_noise]
        return y, same

    @property
    def of_one_photo(self) -> bool:
        return True

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The same, with what its parts round away, and what that and noise make of y."""
        level = rms_of(noise)
        u, ops = self.backwards(photo), self.parts()
        pairs = zip(ops, u[1:], strict=True)
        rounded = [rounded_away(op, z, level) for op, z in pairs]
        after = gains(ops, u[:-1])[1:]
        total = level**2 + sum((g * r) ** 2 for g, r in zip(after, rounded, strict=True))

        same = self.with_noise(total**0.5)
        same.found = Found(level, tuple(rounded), self.slopes_at(u))
        return same

    def steps(self, x: Tensor) -> list[Tensor]:
        """z_0 ... z_k: x, and what each operator gives."""
        found = [x]
        for op in self.parts():
            found.append(op(found[-1]))
        return found

    def backwards(self, y: Tensor) -> list[Tensor]:
        """u_0 ... u_k of y alone, roughly: by A^+ and by what a part guesses."""
        found = [y]
        for op in reversed(self.parts()):
            linear, u = linear_of(op), found[0]
            if op.offers("guess"):
                u = op.guess(u)
            elif linear is not None:
                u = linear.pinv(less_dark(op, u))
            found.insert(0, u)
        return found

    def slopes_at(self, pictures: Sequence[Tensor]) -> tuple[float, ...]:
        """c of each operator, where it sees such pictures."""
        pairs = zip(self.parts(), pictures[:-1], strict=True)
        return tuple(float(slopes_of(op, z).median()) for op, z in pairs)

    def found_in(self, y: Tensor) -> Found:
        """What `for_photo` has found, or what y's noise alone tells."""
        if self.found is not None:
            return self.found
        slopes = self.slopes_at(self.backwards(y))
        return Found(self.sigma_y, (0.0,) * len(slopes), slopes)

    def stds(self, y: Tensor) -> list[float]:
        """The std of what is wrong with each u_i by what A_i and those after it do, i = 1 ... k."""
        level, rounded, slopes = self.found_in(y)
        square, found = level**2, list[float]()
        for r, c in zip(reversed(rounded), reversed(slopes), strict=True):
            square += r**2
            found.insert(0, square**0.5)
            square /= c**2
        return found

    def stages(self, y: Tensor) -> list[Operator]:
        """The operators, first to last, each with what is wrong with the first guess of its own y.

        A linear one must not sharpen what those after it have lost and only guess.
        """
        found, lost = list[Operator](), 0.0
        for op, std in zip(reversed(self.parts()), reversed(self.stds(y)), strict=True):
            linear = linear_of(op) is not None
            found.insert(0, op.with_noise(max(std, lost) if linear else std))
            lost = max(lost, LOST * (op.guess_error or 0.0))
        return found

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The image next to x, part by part, that gives y; x itself where y has noise."""
        if self.sigma_y > ROUNDED:
            return x
        u = y
        for op, z in zip(reversed(self.parts()), reversed(self.steps(x)[:-1]), strict=True):
            u = undo(op, z, u, 0.0)
        return u

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin ||A(x) - y||^2 + rho ||x - v||^2, part by part."""
        slopes, u = self.found_in(y).slopes, y

        # By how much those before a part make the error of v stronger.
        before = [1.0, *accumulate(slopes[:-1], mul)]
        rows = (self.parts(), self.stds(y), self.steps(v)[:-1], before)
        for op, std, z, c in zip(*map(reversed, rows), strict=True):
            share = (std / (c * self.sigma_y)) ** 2 if self.sigma_y > 0 else 1.0
            u = undo(op.with_noise(std), z, u, rho * share)
        return u
