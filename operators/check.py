"""Does an operator keep its contract?   python -m operators.check mine.Fog density=0.3

Prints a line per property, with its figure at the worst of three sizes and its limit, and what is
wrong where one is broken; then what a step costs, and which sampler suits. y may be of any shape,
real or complex. Exit code 0: all kept, 1: a violation, 2: it could not be made at all.
"""

import ast
import importlib
import math
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import torch
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator, SpectralOperator
from operators.cost import as_run, suits
from operators.measured import Measured

SIZES = ((32, 48), (31, 41), (7, 5))


class Finding(NamedTuple):
    """One property at one size: its figure, the most that it may be, and what a larger one means.

    The name holds the size behind a comma.
    """

    name: str
    figure: float
    limit: float
    remedy: str

    @property
    def holds(self) -> bool:
        """Whether the property holds; NaN does not."""
        return self.figure <= self.limit


def main(words: list[str]) -> int:
    """Check the operator that the command line names, and return the exit code."""
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

    # Of each property, the size where it is farthest from holding.
    worst: dict[str, Finding] = {}
    for finding in findings(op):
        name = finding.name.split(", ")[0]
        if name not in worst or not finding.figure <= worst[name].figure:
            worst[name] = finding

    for finding in worst.values():
        verdict = "ok  " if finding.holds else "FAIL"
        figures = f"{finding.figure:9.1e} (at most {finding.limit:.0e})"
        remedy = "" if finding.holds else f"   {finding.remedy}"
        sys.stdout.write(f"{verdict} {finding.name:<34} {figures}{remedy}\n")

    linear = isinstance(op, LinearOperator | AffineOperator)
    works = (
        "sampler=ddnm and sampler=gdp_linesearch"
        if linear
        else "sampler=gdp_linesearch (not linear: no ddnm)"
    )
    broken = sum(not finding.holds for finding in worst.values())
    if not broken:
        sys.stdout.writelines(f"{line}\n" for line in suits(op))
    verdict = f"violates {broken} of {len(worst)}; repaired, it" if broken else "all kept;"
    sys.stdout.write(f"{type(op).__name__}: {verdict} works with {works}\n")
    return 1 if broken else 0


def build(path: str, words: list[str]) -> Operator:
    """Make an operator from the name of its class and its arguments.

    Args:
        path: module.Class; the module may lie in the current folder.
        words: name=value, the value a Python literal or else plain text.
    """
    arguments = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no name=value")
        try:
            arguments[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            arguments[key] = value

    sys.path.insert(0, "")
    module, _, name = path.rpartition(".")
    op = getattr(importlib.import_module(module), name)(**arguments)
    if not isinstance(op, Operator):
        raise TypeError(
            "it is no operators.base.Operator; derive it from Operator or LinearOperator"
        )
    return op


def findings(op: Operator) -> Iterator[Finding]:
    """Every property that an operator's tier promises, at several sizes of y; a crash is one."""
    torch.manual_seed(0)

    for H, W in SIZES:
        try:
            yield from at_size(op, f"{H}x{W}", picture(op, 2, H, W))
        except Exception as error:  # whatever a user's code raises is what is to be told
            text = " ".join(str(error).split())[:200]
            channels = f"x has {op.x_channels or 3} channels, as x_channels says"
            remedy = f"{type(error).__name__}: {text} (operators must take any size; {channels})"
            yield Finding(f"runs at {H}x{W}", math.inf, 0, remedy)


def picture(op: Operator, count: int, H: int, W: int) -> Tensor:
    """Random x [count, C, h, w] that A takes, of about the size of a y of H x W."""
    with suppress(Exception):  # else y is no picture, and it is x that has this size
        H, W = op.x_shape(torch.empty(1, 3, H, W))[-2:]
    sides = [-(-n // op.divisor) * op.divisor for n in (H, W)]
    return torch.rand(count, op.x_channels or 3, *sides) * 2 - 1


def at_size(op: Operator, size: str, x: Tensor) -> Iterator[Finding]:
    """The properties of any operator, for images x of one size."""
    y = op(x)
    shape = tuple(op.x_shape(y))
    wrong = float(shape != tuple(x.shape))
    remedy = f"x_shape(y) is {shape} for an x of {tuple(x.shape)}; define it"
    yield Finding(f"x_shape inverts the shape, {size}", wrong, 0, remedy)
    if wrong:
        return

    # Of an A that is declared linear, A(0) tells most.
    if isinstance(op, LinearOperator):
        dark = relative(op(torch.zeros_like(x)), y)
        remedy = "A(0) is not 0: derive it from AffineOperator"
        yield Finding(f"A(0) = 0, {size}", dark, 1e-4, remedy)

    mixed = relative(op(x[1:]) - y[1:], y)
    remedy = "an image's y depends on others of its batch"
    yield Finding(f"images stay apart, {size}", mixed, 1e-4, remedy)

    z = x.clone().requires_grad_()
    out = op(z)
    g = None
    if out.requires_grad:
        (g,) = torch.autograd.grad(out.abs().square().sum(), z, allow_unused=True)
    flat = math.inf if g is None or not g.isfinite().all() else float(not g.any())
    remedy = "no finite, non-zero gradient reaches x: avoid detach, numpy, round, in-place"
    yield Finding(f"differentiable, {size}", flat, 0, remedy)

    A = op.linear() if isinstance(op, AffineOperator) else op
    if isinstance(A, LinearOperator):
        view = as_run(A, y)
        x = view.state(x) if isinstance(view, Measured) else x
        yield from linear_at_size(view, size, x.double())


def linear_at_size(A: LinearOperator, size: str, x: Tensor) -> Iterator[Finding]:
    """What a linear operator promises besides, in float64."""
    u, y = torch.randn_like(x), A(x)
    bent = relative(A(2 * x - u) - 2 * y + A(u), y)
    remedy = "A(2x - u) is not 2 A(x) - A(u): derive it from Operator (or AffineOperator)"
    yield Finding(f"linear, {size}", bent, 1e-5, remedy)

    # The dot test, with v not at right angles to y.
    v = y + y.square().mean().sqrt() * torch.randn_like(y)
    forward, back = float((y * v).sum()), float((x * A.adjoint(v)).sum())
    gap = abs(forward - back) / abs(forward)
    remedy = "<A x, v> is not <x, A^T v>: leave adjoint out, autograd has it right"
    yield Finding(f"adjoint (dot test), {size}", gap, 1e-5, remedy)

    missed = relative(A(A.pinv(y)) - y, y)
    remedy = "pinv does not undo what A keeps: leave pinv out, or correct it"
    yield Finding(f"A A^+ A = A, {size}", missed, 5e-2, remedy)

    if isinstance(A, SpectralOperator):
        same = relative(A.spectral(x, torch.ones_like) - x, x)
        remedy = "V 1 V^T x must give x back: V is not orthonormal"
        yield Finding(f"spectral(x, 1) = x, {size}", same, 1e-5, remedy)

        squared = relative(A.spectral(x, lambda s: s**2) - A.adjoint(y), A.adjoint(y))
        remedy = "the singular values are not those of A"
        yield Finding(f"spectral(x, s^2) = A^T A x, {size}", squared, 1e-5, remedy)


def relative(difference: Tensor, of: Tensor) -> float:
    """Norm of a difference, as a share of the norm of `of`."""
    off, whole = (v.detach().abs().double().norm() for v in (difference, of))
    return float(off / whole.clamp_min(1e-12))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
