"""Where a restoration starts: a first guess, and the time whose noise hides its error."""

from samplers.start.arrival import Seen, seen
from samplers.start.few import check_calls, few, noise_alone, one_call
from samplers.start.first_guess import (
    NARROW,
    WIDE,
    agreeing,
    divergence,
    first_guess,
    gradient,
    least_variation,
)
from samplers.start.late import HIDE, automatic_end, automatic_start, guess_error, hides, late
from samplers.start.photo_like import Guess, coefficient, photo_like, pink, worst_error

__all__ = [
    "HIDE",
    "NARROW",
    "WIDE",
    "Guess",
    "Seen",
    "agreeing",
    "automatic_end",
    "automatic_start",
    "check_calls",
    "coefficient",
    "divergence",
    "few",
    "first_guess",
    "gradient",
    "guess_error",
    "hides",
    "late",
    "least_variation",
    "noise_alone",
    "one_call",
    "photo_like",
    "pink",
    "seen",
    "worst_error",
]
