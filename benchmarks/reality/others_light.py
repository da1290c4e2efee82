"""Brightness and colours by one line each, for benchmarks/reality/others.py.

CLAHE            contrast-limited adaptive histogram equalisation of L in Lab
equalise         histogram equalisation of L in Lab
blind_gamma      x^g with g such that the mean becomes 1/2
grey_world       gains that make the channels' means alike (Buchsbaum 1980)
shades_of_grey   the same by the means of 6th powers (Finlayson and Trezzi 2004)
gain*, gamma*    the best of a fine row of gains, or of exponents, by the truth
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.reality.pairs import Pair
from gdp.picture import picture_of

POWER = 6  # of shades of grey
STEPS = torch.logspace(-5, 5, 101, base=2).tolist()  # gains or exponents that are tried


def lightness(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Pair], Tensor]:
    """Apply a change to L in Lab."""

    def run(pair: Pair) -> Tensor:
        import cv2

        lab = cv2.cvtColor(np.asarray(picture_of(pair.photo)), cv2.COLOR_RGB2LAB)
        lab[..., 0] = change(np.ascontiguousarray(lab[..., 0]))
        rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
        return torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255

    return run


def clahe(light: np.ndarray) -> np.ndarray:
    """OpenCV's CLAHE with the limit that its tutorial has."""
    import cv2

    return cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(light)


def equalised(light: np.ndarray) -> np.ndarray:
    """Histogram equalisation."""
    import cv2

    return cv2.equalizeHist(light)


def blind_gamma(pair: Pair) -> Tensor:
    """The exponent that makes the mean 1/2."""
    mean = pair.photo.mean().clamp(1e-3, 1 - 1e-3)
    return pair.photo.clamp(0, 1) ** (np.log(0.5) / mean.log())


def balanced(power: float) -> Callable[[Pair], Tensor]:
    """Channels of one mean of powers; the brightness stays."""

    def run(pair: Pair) -> Tensor:
        y = pair.photo.clamp(0, 1)
        means = y.pow(power).mean((-2, -1), keepdim=True).pow(1 / power).clamp_min(1e-3)
        even = y * means.mean() / means
        return (even * y.mean() / even.mean().clamp_min(1e-6)).clamp(0, 1)

    return run


def best(change: Callable[[Tensor, float], Tensor]) -> Callable[[Pair], Tensor]:
    """The result nearest to the truth."""

    def run(pair: Pair) -> Tensor:
        y = pair.photo.clamp(0, 1)
        results = (change(y, step).clamp(0, 1) for step in STEPS)
        return min(results, key=lambda x: float((x - pair.truth).square().mean()))

    return run


LIGHT: dict[str, tuple[Callable[[Pair], Tensor], tuple[str, ...]]] = {
    "clahe": (lightness(clahe), ("cv2",)),
    "equalise": (lightness(equalised), ("cv2",)),
    "blind_gamma": (blind_gamma, ()),
    "grey_world": (balanced(1), ()),
    "shades_of_grey": (balanced(POWER), ()),
    "gain*": (best(lambda y, gain: gain * y), ()),
    "gamma*": (best(lambda y, gamma: y**gamma), ()),
}
