"""What a measurement shows of its photo's own pixels, for a prior to learn from (`adapt=`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import torch
from torch import Tensor

from gdp.prior.adapt.learn import LEAST, Seen, adapted
from gdp.prior.prior import Prior
from operators.base import Operator
from operators.identity import Identity
from samplers.start.first_guess import first_guess


@contextmanager
def adapting(prior: Prior, A: Operator, y: Tensor, steps: int, seed: int) -> Iterator[float]:
    """Within the block, a prior that has learnt from y in so many steps; 0: the prior as it is.

    Returns:
        A context manager that gives the seconds that learning took.
    """
    if steps == 0 or A.leaves:
        yield 0.0
        return
    began = perf_counter()
    with adapted(prior, seen_of(A, y, steps), steps, seed):
        yield perf_counter() - began


def seen_of(A: Operator, y: Tensor, steps: int) -> Seen:
    """What y shows of the photo x.

    y itself where it is the photo with noise or holes, or a smaller picture of it. Else the first
    guess at half its size, in which much of what A did is gone.

    Args:
        A: the degradation, with the std of y's noise; not bound.
        y: one measurement.
        steps: for the message.

    Raises:
        ValueError: y is no picture in colour.
    """
    shape = A.x_shape(y)
    pictures = y.ndim == 4 and y.shape[1] == shape[1] == 3
    if A.spreads or A.measured or not pictures:
        raise ValueError(
            f"adapt={steps} learns from what is seen of the photo itself, and "
            f"{type(A).__name__} shows no picture of it in colour; leave adapt= out"
        )
    everywhere = y.new_ones(1, 1, *y.shape[-2:])
    if isinstance(A, Identity) or y.shape[-2:] != shape[-2:]:
        return Seen(y, everywhere, float(A.sigma_y))

    # Holes: what lies around them, where patches are whole
    known = A.known(y)
    if known is not None:
        seen = Seen(A.pinv(y), known.to(y.dtype), float(A.sigma_y))
        if min(shape[-2:]) >= 2 * LEAST and len(seen.places(2 * LEAST)):
            return seen

    guess = y if A.blind else first_guess(A, y)
    return Seen(guess, torch.ones_like(everywhere), 0.0).halved()
