"""The noise of a photo with the errors of a codec that it went through.

n^2 = visible^2 + codec^2       visible: what smooth patches show (estimate.py)
                                codec: the errors of the coefficients, by their codes

Smooth patches show what a codec has left of the noise there, which of fine noise and of colours is
next to nothing. A photo is wrong by that, and by what was rounded away of its own detail.

Samplers are told the first alone: who restores a JPEG file knows its tables, and counts the second
by block (compression.py). Told both, results are smoother, and no better.
"""

from dataclasses import replace

import torch
from torch import Tensor

from gdp.restore.noise.estimate import estimate as visible
from gdp.restore.noise.model import OPPONENT, ROUNDING, NoiseModel
from gdp.restore.noise.sources import of_codes
from operators.coded.jpeg import JPEG
from operators.coded.tables import FACTORS
from operators.coded.traces import trace_of

LOOKED_AT = 1024  # pixels a side, at most, of the part in which traces of a codec are looked for


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


def traced(pixels: Tensor) -> JPEG | None:
    """The compression that a photo [B, 3, H, W] in [0, 1] shows traces of, if any."""
    if pixels.shape[:2] != (1, 3):
        return None

    # The middle of it, from where a block begins.
    places = [
        slice(start := max(0, n - LOOKED_AT) // 32 * 16, start + LOOKED_AT)
        for n in pixels.shape[-2:]
    ]
    found = trace_of(pixels[..., places[0], places[1]].detach().float())
    if found is None or found.quality is None:
        return None
    return JPEG(found.quality, FACTORS.index(found.factors))


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
