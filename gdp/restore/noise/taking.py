"""A photo taken for y: what it tells of its operator, and of its noise."""

import torch
from torch import Tensor

from gdp.picture import to_model
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.estimate import estimate
from gdp.restore.noise.level import estimate_sigma
from gdp.restore.noise.model import ROUNDING
from operators.base import Operator
from operators.noise.whitened import can_whiten

HARDLY = 0.3  # `sure` below which little noise is texture, whatever a result would show
LOUD = 0.03  # std of noise in [0, 1] units from which it is noise, blurred with the photo or not


def take(
    pixels: Tensor, operator: Operator, noise: NoiseModel | float | str, rounding: float
) -> tuple[Tensor, Operator]:
    """Take a photo for y.

    Args:
        pixels: the degraded photo [B, 3, H, W] in [0, 1].
        operator: the degradation; it says which part of the photo it measured.
        noise: the photo's, as a model, or as a white one's std in [0, 1] units; auto: estimated,
            white.
        rounding: std of the photo's rounding in [0, 1] units; the noise is never below it.

    Returns:
        y in [-1, 1] units, and the operator that knows y's noise.
    """
    if not isinstance(noise, NoiseModel):
        noise = NoiseModel.white(estimate_sigma(pixels) if isinstance(noise, str) else noise)
    noise = noise.at_least(rounding)

    # What the photo tells of A, by a noise that is not whitened yet.
    operator, photo = operator.with_noise(2 * noise.std), to_model(pixels)
    shape = operator.sigma_y if noise.is_white else 2 * noise.at(*photo.shape[-2:]).to(photo)
    with torch.no_grad():
        operator = operator.for_photo(photo, shape)
        y = operator.observe(photo)
    if noise.is_white or not can_whiten(operator, y):
        return y, operator
    return y, operator.with_whitening(noise.whiten)


def believed(pixels: Tensor, operator: Operator, noise: NoiseModel, rounding: float) -> NoiseModel:
    """The noise that an operator which looks for itself goes by, where it may be texture.

    What sharpens a photo must not take texture for noise; what but denoises it is judged by its
    result (doubt.py). Arguments are those of `take`.
    """
    if not operator.careful:
        return noise
    along = not noise.doubtful and noise.std < LOUD
    along = along and operator.blurred_with(to_model(pixels), noise.spectrum[0], 2 * rounding)
    if not (noise.doubtful or along):
        return noise
    quiet = NoiseModel.white(rounding)
    _, found = take(pixels, operator, quiet, rounding)

    # What would be sharpened is texture; what is too noisy for that has noise after all.
    if found.offers("undoing") or not (found.leaves or along):
        return quiet
    return quiet if noise.doubtful and noise.sure < HARDLY and not found.noisy else noise


def of_developed(
    operator: Operator, y: Tensor, rounding: float
) -> tuple[Operator, NoiseModel | None]:
    """The operator for the noise of what y alone shows, where light was mended, and that noise."""
    if y.shape[1] != 3:
        return operator, None
    with torch.no_grad():
        light = operator.bind(y)
        levels = light.amplification() * ROUNDING
        noise = estimate(light.developed(y), rounding=levels).at_least(rounding)
    return operator.with_whitening(noise.whiten), noise
