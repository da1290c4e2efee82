"""How a photo's spectrum falls, and whether a Gaussian has blurred it.

law     log(w sqrt(P)) = a - s^2 w^2 / 2   photos' amplitudes fall as 1 / w, and by a blur besides
s       the width of the blur, in pixels   from the best line in w^2, as far as noise leaves it
off     rms of what the line leaves        little where a Gaussian has blurred; lenses and camera
                                           shake fall otherwise

Noise comes after a lens: of a photo that was softened later it falls as the photo does, and what
was taken for it belongs to the photo, most often as its texture.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from operators.blur.softness import mean_between, noise_floor, softness, squares
from operators.tools.ramp import ramp
from operators.tools.transforms import dct2

# The bands that the law is compared in, by their ends, how many it takes, and times the noise that
# their std is.
BANDS, FEWEST, CLEAR = torch.arange(0.1, 0.91, 0.05).tolist(), 5, 2.0

# From this width on, and up to this rest, a Gaussian has surely blurred, where edges say no more
# than AGREE times, nor less than 1 / AGREE of it. Of photos softened by 1 to 1.5 pixels 9 in 10 are
# so; noise and demosaicking have widths up to 0.82 where the rest is so little, and lenses a rest
# of 0.24 and more.
WIDTH, REST, AGREE = 0.85, 0.15, 1.4

# The same from NARROW on, where the rest is LESS and the photo's signal CLEARLY so many times any
# noise: demosaiced noise has so little a rest up to 0.63, and half of that signal from there on.
NARROW, LESS, CLEARLY = 0.73, 0.1, 25.0

# The width of noise, as a share of the photo's, from which it was there before the blur; of wider
# blurs than MOST rounding leaves too little to tell more.
ALONG, MOST = 0.8, 1.0

# The softness in pixels up to which all of it is undone. Of wider blurs less is known: lenses blur
# otherwise than a Gaussian, and too wide a blur rings where too narrow a one leaves a photo soft.
FULL = 0.6

# The difference from a Gaussian's fall up to which a blur is one, and from which it is none: of
# softened photos 97 % have less than 0.22, lenses and camera shake 0.24 to 0.5 and more.
GAUSSIAN, NO_GAUSSIAN = 0.2, 0.24

# Pixels of softness that are undone where none has: most of what is lost is no Gaussian's then.
OTHER = 0.5


class Fall(NamedTuple):
    """How a spectrum falls.

    Attributes:
        width: of the Gaussian that it falls as, in pixels; 0 where it does not.
        off: rms of the logs of its amplitudes from that law.
        reach: the highest frequency that was compared, 1 the highest along an axis.
    """

    width: float
    off: float
    reach: float


def fall_of(y: Tensor, sigma: float, noise: Tensor | float) -> Fall:
    """How a photo's spectrum falls; all 0 where noise leaves too little of it.

    Args:
        y: [B, C, H, W] in [-1, 1].
        sigma: the softness found, in pixels.
        noise: std of y's noise as far as it is known, as `squares` takes it.
    """
    c, known = dct2(y.mean(1, keepdim=True)).square().mean((0, 1)), squares(y, noise)
    floor, points, reach = noise_floor(y, sigma) ** 2, [], 0.0
    for low, high in pairwise(BANDS):
        power = mean_between(c, low, high)
        if power < CLEAR**2 * max(floor, mean_between(known, low, high), 1e-12):
            break
        w, reach = math.pi * (low + high) / 2, high
        points.append((w**2, math.log(w * power**0.5)))
    return Fall(*line(points), reach) if len(points) >= FEWEST else Fall(0.0, 0.0, 0.0)


def surely_blurred(fall: Fall, found: float, clear: float = 0.0) -> bool:
    """Whether a Gaussian has blurred a photo, by its spectrum and by its edges.

    Args:
        fall: of its spectrum.
        found: the softness of its edges, in pixels.
        clear: its `clearance`, if it is known.
    """
    if fall.width > AGREE * found or found > AGREE * fall.width:
        return False
    wide = fall.width > WIDTH and fall.off < REST
    return wide or (fall.width > NARROW and fall.off < LESS and clear > CLEARLY)


def blurred_along(std: Tensor, fall: Fall) -> bool:
    """Whether what was measured as noise was there when a photo was blurred.

    Args:
        std: of the noise by frequency [H, W].
        fall: of the photo's spectrum.
    """
    bands = [(low, high) for low, high in pairwise(BANDS) if high <= fall.reach]
    levels = [mean_between(std.square(), *band) ** 0.5 for band in bands]
    if len(bands) < FEWEST or min(levels) <= 0:
        return False
    points = [
        ((math.pi * (low + high) / 2) ** 2, math.log(level))
        for (low, high), level in zip(bands, levels, strict=True)
    ]
    return line(points)[0] > ALONG * min(fall.width, MOST)


def blurred_with(photo: Tensor, std: Tensor, rounding: float) -> bool:
    """Whether a Gaussian has surely blurred a photo, and what was measured as noise along with it.

    Arguments are those of an operator's `blurred_with`.
    """
    found = softness(photo)
    if found < WIDTH / AGREE:
        return False
    fall = fall_of(photo, found, rounding)
    return surely_blurred(fall, found) and blurred_along(std, fall)


def width_of(found: float, share: float, off: float) -> float:
    """The width that is undone where a softness was found, both in pixels.

    Args:
        found: the softness.
        share: of what is beyond FULL.
        off: the difference from a Gaussian's fall.
    """
    as_gaussian = min(found, FULL) + share * max(found - FULL, 0.0)
    other = ramp(off, GAUSSIAN, NO_GAUSSIAN)
    return (1 - other) * as_gaussian + other * min(found, OTHER)


def line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """The width s of points (w^2, log) on a line of slope -s^2 / 2, and the rms of their rest."""
    squared, logs = torch.tensor(points, dtype=torch.float64).T
    squared, logs = squared - squared.mean(), logs - logs.mean()
    slope = (squared @ logs) / (squared @ squared)
    rest = float((logs - slope * squared).square().mean().sqrt())
    return max(-2 * float(slope), 0.0) ** 0.5, rest
