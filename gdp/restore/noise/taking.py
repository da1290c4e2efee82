"""A photo taken for y: what it tells of its operator, and of its noise."""

from pathlib import Path

import torch
from torch import Tensor

from gdp.picture import Photo, to_model
from gdp.restore.measure import Seen, check_photo, viewed
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.choose import noise_of, tint_of, tinted
from gdp.restore.noise.codec import codec_of, demosaicked
from gdp.restore.noise.compression import behind_blur, compressed
from gdp.restore.noise.estimate import estimate
from gdp.restore.noise.level import estimate_sigma
from gdp.restore.noise.model import BRIGHTNESSES, ROUNDING
from gdp.restore.noise.sources import measured_at
from gdp.restore.setup import AUTO, Setup
from operators.base import Operator
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.noise.whitened import can_whiten
from operators.tools.enlarged import enlarged, softly

WHITE = "white"  # noise= of a photo that is enlarged
HARDLY = 0.3  # `sure` below which little noise is texture, whatever a result would show
LOUD = 0.03  # std of noise in [0, 1] units from which it is noise, blurred with the photo or not


def taken(photo: Photo, operator: Operator, setup: Setup, file: Path | None) -> Seen:
    """Take the photo for y: find its noise, and what its file's compression did.

    Args:
        photo: pixels [1, 3, H, W] in [0, 1].
        operator: the degradation, not bound.
        setup: the settings: what noise and JPEG are told, or to be found.
        file: where the photo was read from.

    Raises:
        ValueError: the photo does not fit the operator.
    """
    config, pixels = setup.config, photo.pixels.cpu()
    kind, sigma_y = config["noise"], config["sigma_y"]

    # Its noise, told or found, and what that makes of the operator.
    if kind == AUTO and sigma_y == AUTO and enlarges(operator, pixels):
        kind = WHITE
    asks, blurred = config["jpeg"] == AUTO and config["noise"] != "jpeg", None
    jpeg = codec_of(photo, file, operator) if asks else None  # unless something else is told
    if kind == AUTO and pixels.shape[1] == 3:
        least = None if sigma_y == AUTO else max(sigma_y, photo.rounding)
        blurred = behind_blur(operator, pixels, jpeg, least)
    model, asked, shown = blurred, operator, None
    if model is None:
        model = noise_of(pixels, kind, sigma_y, file, setup.noise_alone).at_least(photo.rounding)
    told = sigma_y != AUTO and (kind != AUTO or model.is_flat)  # else nothing is left of it
    quiet, y, operator = believed(pixels, asked, model, photo.rounding, jpeg)
    denoising = asked.denoising()

    # Noise or texture, sharpening makes it many times stronger. What denoising takes away tells
    # which it is, and texture is sharpened then (first/texture.py).
    sharpened = operator.offers("undoing") and not told and denoising is not None
    if quiet is not model and sharpened and not operator.certain:
        cleaner = take(pixels, denoising, model, photo.rounding)
        # Of an enlarged photo what is too little to be taken away is texture.
        if not (cleaner[1].leaves and softly(enlarged(pixels))):
            (y, operator), quiet = cleaner, model
    model = quiet
    if sigma_y == AUTO and config["noise"] == AUTO and operator.offers("developed"):
        operator, shown = of_developed(operator, y, photo.rounding)
    alone = operator.whitening is not None
    findings = tuple(filter(None, (*operator.findings, measured_at(model))))
    mending = operator.mending

    # What its codec lost, and noise that is of one colour.
    other = None if told or not isinstance(operator, Identity) else asked.for_texture()
    otherwise = None if other is None else sharpening(pixels, other, photo.rounding, jpeg, model)
    tint = None
    if blurred is None:
        if jpeg is not None:
            operator, alone = compressed(operator, y, jpeg, model, not told), True
        tint = tint_of(operator, y, pixels, model, told and kind == AUTO)
    operator, y = tinted(operator, tint, y)
    check_photo(operator, y)
    operator, y = viewed(operator, y, own_units=False)
    return Seen(y, operator, None, alone, model, shown, findings, mending, otherwise, tint)


def sharpening(
    pixels: Tensor, operator: Operator, rounding: float, jpeg: JPEG | None, seen: NoiseModel
) -> Operator | None:
    """What sharpens a photo that has no noise but white noise; None where nothing is to be undone.

    Args:
        pixels, rounding: as `take` has them.
        operator: looks for itself.
        jpeg: the compression of the photo's file.
        seen: what was found as its noise.
    """
    sigma = estimate_sigma(pixels)
    noise = NoiseModel.white(sigma).at_least(rounding)
    y, found = take(pixels, operator, noise, rounding)
    if not found.offers("undoing"):
        return None
    if jpeg is None:
        return found
    if demosaicked(y, found, jpeg, seen, sigma):
        return None
    return compressed(found, y, jpeg, noise, True)


def enlarges(operator: Operator, pixels: Tensor) -> bool:
    """Whether the result is larger than the photo on both sides.

    Of a photo that was shrunk the texture fills the frequencies by which noise of any colour is
    told from it; the quietest differences, by which white noise is, err on the safe side.
    """
    if operator.frame is not None or pixels.shape[1] != 3:
        return False
    H, W = operator.x_shape(pixels)[-2:]
    return pixels.shape[-2] < H and pixels.shape[-1] < W


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
    operator.sure = noise.sure
    shape = operator.sigma_y if noise.is_white else 2 * noise.at(*photo.shape[-2:]).to(photo)
    with torch.no_grad():
        operator = operator.for_photo(photo, shape)
        y = operator.observe(photo)
    if noise.is_white or not can_whiten(operator, y):
        return y, operator
    return y, operator.with_whitening(noise.whiten)


def believed(
    pixels: Tensor,
    operator: Operator,
    noise: NoiseModel,
    rounding: float,
    jpeg: JPEG | None = None,
) -> tuple[NoiseModel, Tensor, Operator]:
    """Take a photo for y by an operator that looks for itself, where its noise may be texture.

    What sharpens a photo must not take texture for noise; what but denoises it is judged by its
    result (noise/doubt). Arguments are those of `take`, and the compression of the photo's file.

    Returns:
        The noise that is believed, `noise` or next to none, and what `take` gives with it.
    """
    doubtful = operator.careful and noise.doubtful
    along = operator.careful and not noise.doubtful and noise.std < LOUD
    along = along and operator.blurred_with(to_model(pixels), noise.spectrum[0], 2 * rounding)
    if not (doubtful or along):
        return noise, *take(pixels, operator, noise, rounding)
    quiet = NoiseModel.white(rounding)
    y, found = take(pixels, operator, quiet, rounding)

    # What would be sharpened is texture; what is too noisy for that has noise after all.
    texture = found.offers("undoing") or not (found.leaves or along)
    if texture and found.certain and jpeg is not None:
        texture = not demosaicked(y, found, jpeg, noise, estimate_sigma(pixels))
    if texture or (doubtful and noise.sure < HARDLY and not found.noisy):
        return quiet, y, found
    return noise, *take(pixels, operator, noise, rounding)


def of_developed(
    operator: Operator, y: Tensor, rounding: float
) -> tuple[Operator, NoiseModel | None]:
    """The operator for the noise of what y alone shows, where light was mended, and that noise."""
    if y.shape[1] != 3:
        return operator, None
    with torch.no_grad():
        light = operator.bind(y)
        levels = light.amplification() * ROUNDING
        known = light.amplification_at(torch.linspace(0, 1, BRIGHTNESSES).to(y)).cpu()
        noise = estimate(light.developed(y), rounding=levels, known=known).at_least(rounding)
    return operator.with_whitening(noise.whiten), noise
