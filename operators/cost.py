"""What a step of a sampler costs with an operator, and which sampler suits it.

A and A^T are timed, A^+ and the proximal map where they are not too dear; conjugate gradients take
A and A^T for each of their iterations, of which an operator says the most.
"""

from collections.abc import Callable, Iterator
from time import perf_counter

import torch
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator
from operators.measured import Measured, wrap

SIDE = 256  # pixels of the picture that is timed
LONGEST = 4.0  # seconds from which a solution is reckoned, not timed
DEAR = 1.0  # seconds of a step from which fewer evaluations suit better
RHO = 0.1  # of the proximal map
SMALLEST = 1e-4  # seconds that are told apart


def suits(op: Operator, side: int = SIDE) -> Iterator[str]:
    """Lines that say what A costs at side x side pixels here, and the sampler that suits.

    Nothing where A does not take a picture of this size.
    """
    sides = [-(-side // op.divisor) * op.divisor] * 2
    x = torch.rand(1, op.x_channels or 3, *sides) * 2 - 1
    try:
        with torch.no_grad():
            op(x)
            began = perf_counter()
            y = op(x)
            once = perf_counter() - began
    except Exception:  # that A does not take any size has been told
        return

    A = op.linear() if isinstance(op, AffineOperator) else op
    if not isinstance(A, LinearOperator):
        back = timed(lambda: gradient(op, x))
        yield told(sides, [("A", once, ""), ("its gradient", back, "")])
        yield (
            f"a step of sampler=auto (gdp_linesearch, not linear) takes about {spoken(2 * back)} "
            "besides the network's call"
        )
        return

    A = as_run(A, y)
    v, y = (A.state(x), A.flat(y)) if isinstance(A, Measured) else (x, y)

    # The solutions, timed unless they would take long.
    back = timed(lambda: A.adjoint(y))
    parts = [("A", once, ""), ("A^T", back, "")]
    step = 0.0
    for name, method, most, solve in (
        ("A^+", "pinv", A.iterations, lambda: A.pinv(y)),
        ("prox", "prox", A.prox_iterations, lambda: A.prox(v, y, RHO)),
    ):
        own = A.A if isinstance(A, Measured) else A
        solved = getattr(type(own), method) is getattr(LinearOperator, method)
        reckoned = most * (once + back)
        long = solved and reckoned > LONGEST
        seconds = reckoned if long else timed(solve)
        note = f"conjugate gradients, at most {most} of A and A^T" if solved else "closed form"
        note = f"reckoned: {note}" if long else note
        parts.append((name, seconds, note))
        step = seconds
    yield told(sides, parts)

    # All but the network, which is the same for all samplers.
    few = 5 * (once + back)
    suited = f"sampler=auto suits: a step takes {spoken(step)} besides the network's call"
    if step > DEAR and few < step:
        suited = (
            f"a step of sampler=auto takes {spoken(step)} besides the network's call; "
            f"sampler=dds ({spoken(few)}) or sampler=dps ({spoken(once + back)}) suit better, or "
            "fewer prox_iterations, or an adjoint of your own"
        )
    yield suited


def as_run(A: LinearOperator, y: Tensor) -> LinearOperator:
    """A as a restoration knows it: in real numbers, where y is no picture of three channels."""
    plain = y.ndim == 4 and not y.is_complex()
    if plain and A.x_shape(y)[1] == y.shape[1] == 3:
        return A
    view = wrap(A, y.to(torch.complex128 if y.is_complex() else torch.float64), 1.0)
    assert isinstance(view, Measured) and isinstance(view, LinearOperator)
    return view


def gradient(op: Operator, x: Tensor) -> Tensor:
    """The gradient of |A(x)|^2, as samplers that descend need it."""
    with torch.enable_grad():
        z = x.clone().requires_grad_()
        return torch.autograd.grad(op(z).abs().square().sum(), z)[0]


def timed(work: Callable[[], Tensor]) -> float:
    """Seconds of a piece of work."""
    began = perf_counter()
    with torch.no_grad():
        work()
    return perf_counter() - began


def told(sides: list[int], parts: list[tuple[str, float, str]]) -> str:
    """A line of what each part takes."""
    words = [
        f"{name} {spoken(seconds)}" + (f" ({note})" if note else "")
        for name, seconds, note in parts
    ]
    return f"cost at {sides[0]}x{sides[1]}: {', '.join(words)}"


def spoken(seconds: float) -> str:
    """A time in seconds, to two digits."""
    return f"{max(seconds, SMALLEST):.2g} s"
