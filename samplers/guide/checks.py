"""What guidance may be given: refused where it is made, before anything is computed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from samplers.guide import losses, released

# What terms take: the least and the most, and what it is.
BRIGHTNESS, OF_X0 = (0, 1, "a brightness from 0 to 1"), (-1, 1, "a brightness from -1 to 1")
PIXELS = (1, math.inf, "a whole number of pixels, 1 or more")
SETTINGS = {
    losses.exposure: {"target": BRIGHTNESS, "patch": PIXELS},
    losses.spatial_consistency: {"patch": PIXELS},
    released.exposure: {"target": OF_X0, "cell": PIXELS},
}


def check_terms(terms: Mapping[str, Sequence[Any]]) -> None:
    """Raise ValueError unless each term is a weight and a function that can do with its settings.

    Args:
        terms: name -> [weight, term].
    """
    for name, pair in terms.items():
        where = f"guidance.terms.{name}"
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError(f"{where}={pair}; a term is [weight, loss]")
        weight, term = pair
        if not number(weight) or weight < 0:
            raise ValueError(f"{where}.0={weight}; a weight is a number, 0 or more")
        if not callable(term):
            raise ValueError(f"{where}.1={term}; a loss is a function (x0, y, A) -> [B]")

        # What it was given of settings.
        function: Any = getattr(term, "func", None)
        known = SETTINGS.get(function, {})
        for key, value in getattr(term, "keywords", {}).items():
            least, most, needed = known.get(key, (-math.inf, math.inf, ""))
            if value is not None and needed and not (number(value) and least <= value <= most):
                raise ValueError(f"{where}.1.{key}={value}; it is {needed}")


def check_scale(scale: float) -> None:
    """Raise ValueError unless a gradient's scale can be one."""
    if not number(scale) or scale < 0:
        raise ValueError(f"sampler.scale={scale}; it is a number, 0 (no guidance) or more")


def number(value: Any) -> bool:
    """Whether it is a finite number, and not true or false."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and math.isfinite(value)
