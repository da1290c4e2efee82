"""As few calls as help: from the noise in the first guess to the noise at which y has said all.

    std, even, peak                    how y's noise arrives in x (arrival.py)
    low   = std even^(3/4)             the noise at which to end
    top   = std                        from which to start, where A sees all of x alike;
                                       else what hides the first guess's error
    calls = 1 + rate log2(min(top, 1) / low)
            2 + 0.4 rate               where A sees all of x, and not alike: 1.2 if y's noise
                                       is much, and even < 0.6
            2 + 0.4 rate, at least 3   where A is the identity, whitened, from 2 std, that at loud
                                       places; from 2.5 where a codec stored less of the colours,
                                       and y has other noise
            2 + 1.6 rate               where A sees all of x, and y's noise is what a codec rounded

Where A is the identity, even is 1: y is a picture with white noise of a known std, and the network
gives its posterior mean in one call, at the time of that noise (Tweedie's formula). Every further
call would draw what y does not tell. So where some of x has that noise and the rest none, as grey
photos' colours: there the noise is drawn that the network is told of. Of coloured noise some is
louder: blotches of several pixels have to be hidden in white noise before the network can tell them
from the picture, so that it starts higher, and comes down in a few strides: of more calls, each
takes a little of y's noise for picture. In mended light noise is louder in dark places than in
others, and what is not hidden there is taken for texture. While the noise is above 1 the network
says little more than grey. A codec stores less of colour than of luma: the little that is to be
invented needs few strides, too, if the first one hides it. What a codec rounded is no such noise:
much of it lies where the steps are as large as the picture, which is to be invented. How wrong that
leaves a picture is bounded: noise of 0.6 hides it, whatever pictures drawn at random say.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from torch import Tensor

from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import ROUNDED, Operator
from samplers.start.arrival import EVEN, seen
from samplers.start.late import FINEST, HIDE, LEFT, guess_error, late, time_of
from samplers.start.photo_like import Guess

TELLS = 0.75  # exponent of `even`: measured on photos that were shrunk, with noise
STRIDES, STRIDES_RATE = 2, 0.4  # calls where all of x is seen, not alike: so many, and of the rate
MUCH, UNEVEN, MUCH_RATE = 0.04, 0.6, 1.2  # noise, [-1, 1] units; `even` below this; of the rate
STORED_LEAST, STORED_RATE = 3, 1.6  # the least where only fine colour is unseen; with all detail
STORED_START, STORED_END, OPEN = 2.5, 0.8, 0.25  # times y's noise, others' end; noise that hides it
ROUNDED_RATE, ROUNDED_START = 1.6, 0.6  # of rounding: of the rate; the most noise to start from
BLOTCHES = 0.2  # and, where all is seen, the least noise that hides those of little noise
LOUD = 1.0  # noise, [-1, 1] units, above which the network sees next to nothing


def noise_alone(A: Operator, y: Tensor) -> bool:
    """Whether A shows all of x but for fine colour, and y's noise is more than that of rounding."""
    here = seen(A, y) if A.sigma_y > ROUNDED else None
    return here is not None and (here.whole or here.stored)


def one_call(A: Operator, y: Tensor) -> bool:
    """Whether A shows all of x equally well besides."""
    here = seen(A, y) if A.sigma_y > ROUNDED else None
    return here is not None and here.whole and here.even > EVEN


def few(
    schedule: Schedule,
    prior: Prior,
    A: Operator,
    y: Tensor,
    guess: Guess | None,
    noise: Callable[[float], float],
    rate: Callable[[int], float],
    detail: float,
) -> Schedule:
    """The schedule with steps=auto resolved, and both its ends where they are auto.

    Args:
        schedule: with steps=auto.
        prior: for its noise at each time.
        A: the degradation, with y's noise.
        y: the measurement.
        guess: from what the restoration starts, or how wrong it is; None is the first guess.
        noise: how much of it is to hide an error.
        rate: calls for each halving of the noise, by the time of the start.
        detail: 0 ends where y has said all, 1 where nothing is left open.
    """
    start, end, here = schedule.start, schedule.end, seen(A, y)
    first = guess is None and A.sigma_y > ROUNDED
    noisy, coloured = here.whole and first, here.whole and first and here.even < EVEN
    stored = (here.stored and first) or (coloured and A.fine and detail == 0 and not here.rounded)
    if here.rounded:
        noise = partial(bounded, noise)

    # Noise of some colour: a few strides from where its blotches are hidden.
    if coloured and not stored and isinstance(start, str) and isinstance(end, str):
        resolved = late(replace(schedule, steps=prior.T), prior, A, y, guess, noise)
        _, top = resolved.ends(prior.T)
        much = A.sigma_y > MUCH and here.even < UNEVEN
        share = ROUNDED_RATE if here.rounded else MUCH_RATE if much else STRIDES_RATE
        strides = STRIDES + max(0, round(share * rate(top)))
        return replace(resolved, steps=min(resolved.count, strides))

    # The end: a sample goes on to where y's noise is well hidden.
    least = FINEST
    if A.sigma_y > ROUNDED:
        mean = here.std * here.even**TELLS if here.even > 0 else LEFT * A.sigma_y
        mean *= STORED_END if stored else 1.0
        least = max(mean ** (1 - detail) * (LEFT * A.sigma_y) ** detail, min(FINEST, mean))
    low = time_of(prior, least) if isinstance(end, str) else max(1, round(end * prior.T))

    # The start: the noise of a y that shows all of x is known, and no guess need be farther off.
    if isinstance(start, str):
        if stored and detail == 0:
            hidden = max(HIDE * here.peak * here.std, BLOTCHES)
            sigma = hidden if noisy else max(STORED_START * here.std, OPEN)
        else:
            sigma = here.std * HIDE**detail if noisy else noise(guess_error(A, y, guess))
            if here.whole and A.sigma_y > ROUNDED:
                sigma = min(sigma, here.std * HIDE**detail)
        top = max(low, time_of(prior, sigma))
    else:
        top = max(low, round(start * prior.T))

    span = min(max(prior.sigma(top), prior.sigma(low)), LOUD) / prior.sigma(low)
    steps = 1 + max(0, round(rate(top) * math.log2(span)))
    if stored:
        share = STRIDES_RATE + detail * (STORED_RATE - STRIDES_RATE)
        steps = min(steps, max(STORED_LEAST, STRIDES + round(share * rate(low))))
    low = top if steps == 1 else low
    steps = min(steps, top - low + 1)
    return replace(schedule, steps=steps, start=top / prior.T, end=low / prior.T)


def bounded(noise: Callable[[float], float], error: float) -> float:
    """How much noise is to hide an error that a codec's rounding made."""
    return min(noise(error), ROUNDED_START)


def check_calls(rate: float, draws: int, detail: float) -> None:
    """Raise ValueError unless rate, draws and detail are in their ranges."""
    if not rate > 0:
        raise ValueError(f"sampler.rate={rate!r}; it is calls a halving of the noise, above 0")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise ValueError(f"sampler.draws={draws!r}; it is a whole number, 1 or more")
    if not 0 <= detail <= 1:
        raise ValueError(
            f"detail={detail!r}; it goes from 0, the likeliest mean, to 1, a draw with all detail"
        )
