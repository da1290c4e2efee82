"""Results made true to y: pixels that it holds, and frames of a film that are like the last."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.picture import to_image, to_model
from gdp.restore.observe import Measurement
from gdp.restore.several.steady import steadied
from operators.base import LinearOperator, Operator, ProjectionOperator
from operators.coded.compressed import before_codec
from operators.identity import Identity
from operators.noise.painted import painted
from operators.tools.rms import rms_of_each


def agree(pixels: Tensor, A: Operator, y: Tensor, rounding: float) -> Tensor:
    """Make a result agree with y where y is known up to its rounding, so that known pixels stay.

    An operator that says how (`project`) is asked; else A^+ is used where it amplifies nothing.
    What is painted in a noisy photo (a border, a caption) has no noise, and stays as it is.

    Args:
        pixels: [S, 3, H, W] in [0, 1].
        A: the operator as bound.
        y: the measurement in [-1, 1].
        rounding: std of the photo's rounding in [0, 1] units.
    """
    pixels = agreed(pixels, A, y, rounding)
    known = A.known(y)
    if known is None and not isinstance(before_codec(A), Identity):
        return pixels
    still = painted(y) if y.shape[1:] == pixels.shape[1:] else None
    if still is None:
        return pixels
    return torch.where(still if known is None else still & known, to_image(y).to(pixels), pixels)


def agreed(pixels: Tensor, A: Operator, y: Tensor, rounding: float) -> Tensor:
    """The same by the operator alone."""
    with torch.no_grad():
        if A.offers("project"):
            return to_image(A.project(to_model(pixels).clamp(-1, 1), y))
        flat = isinstance(A, ProjectionOperator)
        if not isinstance(A, LinearOperator) or not flat or A.sigma_y > 2 * rounding:
            return pixels
        x = to_model(pixels)
        return to_image(x - A.pinv(A(x) - y))


def regained(pixels: Tensor, A: Operator, y: Tensor) -> Tensor:
    """Results with what they lack of y, but for the share that y's own noise has in that.

    An operator that may be wrong has y counted as noisier than it is, so that fine texture goes
    with that noise. Arguments are those of `agree`.
    """
    if A.own_noise is None:
        return pixels
    with torch.no_grad():
        lacks = (y - A(to_model(pixels).to(y))) / 2
    noise = A.own_noise / 2 / rms_of_each(lacks).clamp_min(1e-6)
    lacks = (1 - noise.square()).clamp_min(0) * lacks
    if lacks.shape != pixels.shape:
        lacks = F.interpolate(lacks, pixels.shape[-2:], mode="bicubic", align_corners=False)
    return (pixels + lacks).clamp(0, 1)


def calmed(pixels: Tensor, measurement: Measurement, A: Operator) -> Tensor:
    """A film's frame with what it has in common with the one before, and true to y again."""
    assert measurement.past is not None
    frame, sigma = measurement.photo.pixels.to(pixels), measurement.operator.sigma_y / 2
    steady = steadied(pixels, frame, measurement.past, sigma)
    return agree(steady, A, measurement.y, measurement.photo.rounding)
