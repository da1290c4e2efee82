"""When to start and when to end, as in CCDF (Chung et al., CVPR 2022): late, and not too late.

    x_t0 ~ q(x_t0 | first guess)
    t0:    the first time whose noise, sqrt((1 - a) / a), is HIDE times the guess's error
    end:   the last time whose noise is below LEFT sigma_y (or FINEST): x0 is as sure there as y
           lets it be

The error is measured on random pictures with the statistics of photos (photo_like.py).
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import ROUNDED, AffineOperator, Operator
from samplers.start.first_guess import first_guess
from samplers.start.photo_like import Guess, worst_error

HIDE = 2.0  # times a guess's error is the noise that hides it
LEFT = 0.5  # times y's noise is the noise at which to end ...
FINEST = 0.03  # ... but not below this, [-1, 1] units: the network has nothing to add there

# The error of the picture of least variation, over a photo's edges: random pictures have none, and
# cannot tell it. [-1, 1] units.
LEAST_VARIATION_ERROR = 0.3


def hides(error: float) -> float:
    """The noise, sqrt((1 - a) / a), that hides a guess's error."""
    return HIDE * error


def late(
    schedule: Schedule,
    prior: Prior,
    A: Operator,
    y: Tensor,
    guess: Guess | None = None,
    noise: Callable[[float], float] = hides,
) -> Schedule:
    """The schedule with start=auto and end=auto resolved.

    Args:
        schedule: it has at most as many steps, then, as there are times between its ends.
        prior: for its noise at each time.
        A: the degradation, with y's noise.
        y: the measurement.
        guess: from what the restoration starts, or how wrong it is; None is the first guess.
        noise: how much of it is to hide an error.
    """
    start, end = schedule.start, schedule.end
    if not isinstance(start, str) and not isinstance(end, str):
        return schedule

    if isinstance(end, str):
        end = automatic_end(prior, A)
    if isinstance(start, str):
        start = min(1.0, max(automatic_start(prior, A, y, guess, noise), end + 0.05))
    resolved = replace(schedule, start=start, end=end)
    low, top = resolved.ends(prior.T)
    return replace(resolved, steps=min(schedule.count, max(1, top - low + 1)))


def automatic_start(
    prior: Prior,
    A: Operator,
    y: Tensor,
    guess: Guess | None = None,
    noise: Callable[[float], float] = hides,
) -> float:
    """t0 / T, by what a guess leaves wrong where it is worst; 1 where even T is too early."""
    error = guess_error(A, y, guess)
    sigma = noise(error)
    times = [t for t in range(1, prior.T + 1) if prior.sigma(t) >= sigma]
    return max(times[0], 2) / prior.T if times else 1.0


def guess_error(A: Operator, y: Tensor, guess: Guess | None = None) -> float:
    """What a guess leaves wrong where it is worst, if that is not known; None is the first."""
    if isinstance(guess, float):
        return guess
    if guess is None and A.guess_error is not None:
        return A.guess_error
    if guess is None and A.offers("stages"):
        return of_stages(A, y)

    # An affine operator may show a picture of its own, whatever y: its linear part knows of none.
    if guess is None and isinstance(A, AffineOperator):
        return guess_error(A.linear(), y - A.offset(y))
    if guess is None and A.spreads:
        return LEAST_VARIATION_ERROR
    return worst_error(A, y[:1], guess or (lambda A, y, x: first_guess(A, y)))


def of_stages(A: Operator, y: Tensor) -> float:
    """What the first guesses leave wrong of which one makes up that of a row of operators."""
    squares = 0.0
    for part in reversed(cast(Any, A).stages(y)):
        squares += guess_error(part, y) ** 2
        y = first_guess(part, y)
    return squares**0.5


def automatic_end(prior: Prior, A: Operator) -> float:
    """The end / T, by y's noise if it is more than that of rounding to 8 bits."""
    if isinstance(A, AffineOperator):
        A = A.linear()
    least = FINEST
    if A.sigma_y > ROUNDED:
        least = max(LEFT * A.sigma_y, min(FINEST, 0.75 * A.sigma_y))
    times = [t for t in range(1, prior.T // 2) if prior.sigma(t) < least]
    return times[-1] / prior.T if times else 0.0


def time_of(prior: Prior, sigma: float) -> int:
    """The time whose noise is nearest to sigma."""
    levels = range(1, prior.T + 1)
    return min(levels, key=lambda t: abs(math.log(prior.sigma(t) / max(sigma, 1e-6))))
