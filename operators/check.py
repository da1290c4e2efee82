"""Does an operator keep its contract?   python -m operators.check mine.Fog density=0.3

Prints a line per property, with its figure at the worst of three sizes and its limit, and what is wrong where one is broken. Exit
code 0: all kept, 1: a violation, 2: it could not be made at all.
"""

import ast
import importlib
import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator, SpectralOperator

SIZES = ((32, 48), (31, 41), (7, 5))


class Finding(NamedTuple):
    """One property: its figure, the most it may be, and what a larger one means."""

    name: str
    figure: float
    limit: float
    remedy: str

    @property
    def kept(self) -> bool:
        """Whether the property holds; NaN does not."""
        return self.figure <= self.limit


def main(words: list[str]) -> int:
    """Check the operator that the command line names; the exit code."""
    if not words or "." not in words[0]:
        sys.stderr.write(
            "error: name a class, such as: python -m operators.check mine.Fog density=0.3\n"
        )
        return 2
    try:
        op = build(words[0], words[1:])
    except (ImportError, AttributeError, TypeError, ValueError, OSError) as error:
        sys.stderr.write(f"error: {words[0]} cannot be made: {' '.join(str(error).split())}\n")
        return 2
    found = worst(findings(op))
    for finding in found:
        verdict = "ok  " if finding.kept else "FAIL"
        remedy = "" if finding.kept else f"   {finding.remedy}"
        sys.stdout.write(
            f"{verdict} {finding.name:<34} {finding.figure:9.1e} (at most {finding.limit:.0e}){remedy}\n"
        )
    broken = sum(not finding.kept for finding in found)
    verdict = (
        f"violates {broken} of {len(found)}; repaired, it {fits(op)}"
        if broken
        else f"all kept; {fits(op)}"
    )
    sys.stdout.write(f"{type(op).__name__}: {verdict}\n")
    return 1 if broken else 0


def worst(found: Iterable[Finding]) -> list[Finding]:
    """Of each property, the finding at the size where it is farthest from kept."""
    kept: dict[str, Finding] = {}
    for finding in found:
        what = finding.name.split(", ")[0]
        if what not in kept or not finding.figure <= kept[what].figure:
            kept[what] = finding
    return list(kept.values())


def build(path: str, words: list[str]) -> Operator:
    """module.Class with its name=value arguments, values as Python literals or plain text."""
    sys.path.insert(0, "")
    module, _, name = path.rpartition(".")
    arguments = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no name=value")
        try:
            arguments[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            arguments[key] = value
    op = getattr(importlib.import_module(module), name)(**arguments)
    if not isinstance(op, Operator):
        raise TypeError(
            "it is no operators.base.Operator; derive it from Operator or LinearOperator"
        )
    return op


def fits(op: Operator) -> str:
    """Which samplers take it."""
    linear = isinstance(op, LinearOperator | AffineOperator)
    return (
        "works with sampler=ddnm and sampler=gdp_x0"
        if linear
        else "works with sampler=gdp_x0 (not linear: no ddnm)"
    )


def findings(op: Operator) -> Iterator[Finding]:
    """Every property that its tier promises, for several sizes of y; a crash is a finding."""
    torch.manual_seed(0)
    for H, W in SIZES:
        try:
            sides = (
                -(-n // op.divisor) * op.divisor for n in op.x_shape(torch.empty(1, 3, H, W))[-2:]
            )
            yield from at_size(op, f"{H}x{W}", torch.rand(2, 3, *sides) * 2 - 1)
        except (
            Exception
        ) as error:  # whatever a user's code raises is what the check is there to tell
            text = " ".join(str(error).split())[:200]
            yield Finding(
                f"runs at {H}x{W}",
                math.inf,
                0,
                f"{type(error).__name__}: {text} (operators must take any size)",
            )


def at_size(op: Operator, size: str, x: Tensor) -> Iterator[Finding]:
    """The properties at one size of x."""
    y = op(x)
    shape = tuple(op.x_shape(y))
    wrong = float(shape != tuple(x.shape))
    yield Finding(
        f"x_shape inverts the shape, {size}",
        wrong,
        0,
        f"x_shape(y) is {shape} for an x of {tuple(x.shape)}; define it",
    )
    if wrong:
        return
    yield Finding(
        f"images stay apart, {size}",
        relative(op(x[1:]) - y[1:], y),
        1e-4,
        "an image's y depends on others of its batch",
    )
    z = x.clone().requires_grad_()
    (g,) = (
        torch.autograd.grad(op(z).square().sum(), z, allow_unused=True)
        if op(z).requires_grad
        else (None,)
    )
    flat = math.inf if g is None or not g.isfinite().all() else float(not g.any())
    yield Finding(
        f"differentiable, {size}",
        flat,
        0,
        "no finite, non-zero gradient reaches x: avoid detach, numpy, round, in-place",
    )
    linear: Any = op.linear() if isinstance(op, AffineOperator) else op
    if isinstance(linear, LinearOperator):
        yield from linear_at_size(linear, size, x.double())


def linear_at_size(A: LinearOperator, size: str, x: Tensor) -> Iterator[Finding]:
    """What a linear operator promises, in float64."""
    u, y = torch.randn_like(x), A(x)
    bent = relative(A(2 * x - u) - 2 * y + A(u), y)
    yield Finding(
        f"linear, {size}",
        bent,
        1e-5,
        "A(2x - u) is not 2 A(x) - A(u): derive it from Operator (or AffineOperator)",
    )
    v = y + y.square().mean().sqrt() * torch.randn_like(y)
    forward, back = float((y * v).sum()), float((x * A.adjoint(v)).sum())
    gap = abs(forward - back) / abs(forward)
    yield Finding(
        f"adjoint (dot test), {size}",
        gap,
        1e-5,
        "<A x, v> is not <x, A^T v>: leave adjoint out, autograd has it right",
    )
    missed = relative(A(A.pinv(y)) - y, y)
    yield Finding(
        f"A A^+ A = A, {size}",
        missed,
        5e-2,
        "pinv does not undo what A keeps: leave pinv out, or correct it",
    )
    if isinstance(A, SpectralOperator):
        same = relative(A.spectral(x, torch.ones_like) - x, x)
        yield Finding(
            f"spectral(x, 1) = x, {size}",
            same,
            1e-5,
            "V 1 V^T x must give x back: V is not orthonormal",
        )
        squared = relative(A.spectral(x, lambda s: s**2) - A.adjoint(y), A.adjoint(y))
        yield Finding(
            f"spectral(x, s^2) = A^T A x, {size}",
            squared,
            1e-5,
            "the singular values are not those of A",
        )


def relative(difference: Tensor, of: Tensor) -> float:
    """Norm of a difference, relative."""
    return float(difference.detach().double().norm() / of.detach().double().norm().clamp_min(1e-12))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
