"""Where a restoration starts: a first guess, and the time whose noise hides its error."""

from samplers.start.first_guess import (
    NARROW,
    WIDE,
    agreeing,
    divergence,
    first_guess,
    gradient,
    least_variation,
)
from samplers.start.late import automatic_end, automatic_start, hides, late
from samplers.start.photo_like import Guess, photo_like, pink, worst_error

__all__ = [
    "NARROW",
    "WIDE",
    "Guess",
    "agreeing",
    "automatic_end",
    "automatic_start",
    "divergence",
    "first_guess",
    "gradient",
    "hides",
    "late",
    "least_variation",
    "photo_like",
    "pink",
    "worst_error",
]
