"""The noise of a photo with the errors of a codec that it went through.

n^2 = visible^2 + codec^2       visible: what smooth patches show (estimate.py)
                                codec: the errors of the coefficients, by their codes

Smooth patches show what a codec has left of the noise there, which of fine noise and of colours is
next to nothing. A photo is wrong by that, and by what was rounded away of its own detail.

Samplers are told the first alone: who restores a JPEG file knows its tables, and counts the second
by block (compression.py). Told both, results are smoother, and no better.

Of steps q, in levels of 255, the errors are uniform, with the variance q^2 / 12.
"""

from dataclasses import replace
from math import hypot, isclose
from pathlib import Path

import torch
from torch import Tensor

from gdp.picture import Photo, to_model
from gdp.restore.noise.estimate import estimate as visible
from gdp.restore.noise.model import (
    BRIGHTNESSES,
    FREQUENCIES,
    OPPONENT,
    ROUNDING,
    NoiseModel,
    interpolate2,
)
from operators.base import Operator
from operators.coded.compressed import compression_of, traced
from operators.coded.jpeg import JPEG
from operators.coded.traces import is_jpeg
from operators.identity import Identity
from operators.tools.enlarged import enlarged, softly
from operators.tools.ramp import ramp

# The square of what 1 of Y, and of Cb or Cr, is in RGB (JFIF): in grey, and in two colours.
LUMA_POWER, CHROMA_POWER = 3.0, 2.87

# The rest of a JPEG's spectrum up to which a Gaussian has blurred it, its codec's errors counted as
# noise; how much less where what was found as noise lies as evenly as noise does, or is as loud as
# texture seldom is; and its std then. Photos that were softened have up to 0.13 and 0.08, noise
# that a camera demosaicked 0.15 and 0.1 on. Smaller photos than SIDE tell less.
REST, LESS, AS_LOUD, SIDE = 0.14, 0.06, (0.01, 0.016), 192


def estimate(pixels: Tensor, coloured: bool = False, rounding: float = ROUNDING) -> NoiseModel:
    """Estimate how wrong a photo is: its noise, and the errors of a JPEG that it shows traces of.

    Args:
        pixels: [B, C, H, W] in [0, 1], of one noise; large ones are sampled. Of other pictures
            than grey and RGB ones the noise is taken for white.
        coloured: whether noise that looks white is to be taken as it was measured all the same.
        rounding: std of that of 8-bit pixels, after all that was done to them.

    Raises:
        ValueError: a side has less than 16 pixels.
    """
    model = visible(pixels, coloured, rounding)
    jpeg = traced(pixels)
    return model if jpeg is None else with_errors(model, pixels, jpeg)


def codec_of(photo: Photo, file: Path | None, A: Operator) -> JPEG | None:
    """The compression that a photo came through, as part of what is to be undone.

    Its file's; or one that its pixels still show, saved again without loss as they were. That is
    not asked where noise alone is undone: what was noisy as a JPEG is denoised as well without,
    and its noise is told from texture by what is seen of it.

    Args:
        photo: as it was read.
        file: where from.
        A: the degradation besides.

    Returns:
        None where it is no picture of 8 bits, or shows no clear trace of any.
    """
    if file is not None and is_jpeg(file):
        return compression_of(file)
    asked = isclose(photo.rounding, ROUNDING) and not isinstance(A, Identity)
    return traced(photo.pixels.cpu()) if asked and A.denoising() is None else None


def demosaicked(y: Tensor, found: Operator, jpeg: JPEG, seen: NoiseModel, sigma: float) -> bool:
    """Whether a JPEG's spectrum falls as noise from a camera's filter does, and no blurred photo's.

    Args:
        y: the photo as it was taken.
        found: the blur that would be undone.
        jpeg: the photo's compression.
        seen: what was found as its noise.
        sigma: std of the white noise that it shows, [0, 1] units.
    """
    like_noise = max(seen.sure, ramp(seen.std, *AS_LOUD))
    most = (REST - LESS * like_noise) * max(1.0, SIDE / min(y.shape[-2:]))
    rest = found.rest(y, hypot(2 * sigma, jpeg.error(y)))
    return rest > most and not softly(enlarged(y))


def with_errors(model: NoiseModel, pixels: Tensor, jpeg: JPEG) -> NoiseModel:
    """The noise with the errors of a codec.

    Args:
        model: what of it is visible.
        pixels: the photo [1, 3, H, W] in [0, 1].
        jpeg: its compression.
    """
    errors = of_codes(jpeg, pixels)

    # In the noise's own directions of colour.
    share = (model.colours @ OPPONENT.T).square().to(errors.spectrum)
    power = torch.einsum("kc,cuv->kuv", share, errors.spectrum.square())
    return replace(model, spectrum=(model.spectrum.square() + power.to(model.spectrum)).sqrt())


def of_tables(file: Path | None, pixels: Tensor) -> NoiseModel:
    """What the rounding of a JPEG's coefficients has lost, by its tables and by its codes.

    Args:
        file: the photo's own.
        pixels: the photo [1, 3, H, W] in [0, 1].

    Raises:
        ValueError: the photo is not from a JPEG file that can be read.
    """
    if file is None or not is_jpeg(file):
        name = "this one" if file is None else file.name
        raise ValueError(
            f"noise=jpeg needs a photo that is a JPEG file (.jpg), which {name} is not; take "
            "noise=auto"
        )
    return of_codes(JPEG(tables=str(file)), pixels)


def of_codes(jpeg: JPEG, pixels: Tensor) -> NoiseModel:
    """The same of a compression that is known; most coefficients that are 0 were hardly more."""
    steps = (12 * jpeg.errors(to_model(pixels.detach().float()))).sqrt()
    return of_steps(steps, jpeg.factors, jpeg.orientation)


def of_steps(steps: Tensor, factors: tuple[int, int], orientation: int) -> NoiseModel:
    """What rounding to steps [3, 8, 8], in levels of 255, loses at most.

    Args:
        steps: of Y, Cb and Cr, by frequency.
        factors: rows and columns of pixels that share a chroma sample.
        orientation: EXIF's.
    """
    variance = (steps.cpu() / 255) ** 2 / 12

    # Chroma that pixels share is wrong in all of them, and spread over lower frequencies.
    luma, chroma = LUMA_POWER * variance[0], CHROMA_POWER * variance[1:].clamp_max(1)
    shared = factors[0] * factors[1]
    places = torch.arange(FREQUENCIES) * 8 / FREQUENCIES
    rows, columns = places * factors[0], places * factors[1]
    fine = interpolate2(luma, places, places)
    colours = shared * interpolate2(chroma, rows, columns)
    spectrum = torch.cat([fine[None], colours]).sqrt().clamp_min(ROUNDING)
    spectrum = spectrum.mT if orientation >= 5 else spectrum  # a quarter turned
    return NoiseModel(spectrum, torch.ones(BRIGHTNESSES), OPPONENT)
