"""Noise that is known without the photo's own pixels: of a patch of it, saved, or of JPEG's tables.

A patch is a photo of something even, such as a grey card or a lens cap: all of it but its slope is
noise. Of JPEG's steps q, in levels of 255, the errors are uniform, with the variance q^2 / 12.
"""

import logging
from pathlib import Path

import torch
from torch import Tensor

from gdp.picture import to_model
from gdp.restore.noise.blocks import PATCHES, blocks_of
from gdp.restore.noise.estimate import filled, joined
from gdp.restore.noise.evenness import unevenness
from gdp.restore.noise.model import (
    BRIGHTNESSES,
    FREQUENCIES,
    OPPONENT,
    ROUNDING,
    NoiseModel,
    interpolate2,
)
from gdp.storage.places import expand
from operators.coded.compressed import compression_of, is_jpeg
from operators.coded.jpeg import JPEG

SAVED = ".safetensors"
DOUBTFUL, NO_NOISE = 1.45, 1.65  # `unevenness` from which a picture may show something, and does
LOUDEST = 1.0  # rms of a model, [0, 1] units
TURNED = 1e-3  # by how much a model's directions of colour may differ from orthonormal ones
KEPT = 5  # frequencies a side, of 8, whose steps tell how coarse a codec was

# The square of what 1 of Y, and of Cb or Cr, is in RGB (JFIF): in grey, and in two colours.
LUMA_POWER, CHROMA_POWER = 3.0, 2.87
log = logging.getLogger("gdp")


def read(file: Path) -> NoiseModel:
    """The noise of a file: a picture of something even, or what NoiseModel.save wrote.

    Raises:
        ValueError: it holds no noise, or a picture that shows something.
        OSError: it cannot be read.
    """
    file = expand(file)
    if not file.is_file():
        raise FileNotFoundError(
            f"noise={file}: no such file; it is auto, white, camera, jpeg, grain, profile, a "
            "picture of something even, or a saved model"
        )
    if file.suffix == SAVED:
        return load(file)
    from gdp.picture import read as read_photo

    pixels = read_photo(file).pixels
    refuse_uneven(pixels, file)
    return of_patch(pixels)


def refuse_uneven(pixels: Tensor, file: Path) -> None:
    """Raise ValueError where a file's picture shows something besides noise; warn if it may."""
    coded = compression_of(file)
    step = 0.0 if coded is None else float(coded.stored_steps[0].float()[:KEPT, :KEPT].mean())
    uneven = unevenness(pixels, step)
    if uneven >= NO_NOISE:
        raise ValueError(
            f"noise={file} is no picture of something even: what it shows would be taken for "
            "noise; give one of a grey card or a lens cap, taken with the same settings, or "
            "noise=auto"
        )
    if uneven >= DOUBTFUL:
        log.warning("noise=%s may show more than something even; see what it does to detail", file)


def load(file: Path) -> NoiseModel:
    """A model as NoiseModel.save wrote it.

    Raises:
        ValueError: the file is no such model, or its numbers are no noise's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        parts = load_file(file)
        model = NoiseModel(parts["spectrum"], parts["curve"], parts["colours"])
    except (SafetensorError, KeyError) as error:
        raise ValueError(
            f"noise={file} is no saved noise ({error}); write one by NoiseModel.save"
        ) from None
    shapes = [tuple(part.shape) for part in (model.spectrum, model.curve, model.colours)]
    if shapes != [(3, FREQUENCIES, FREQUENCIES), (BRIGHTNESSES,), (3, 3)]:
        raise ValueError(
            f"noise={file} holds tensors of other shapes, {shapes}; write one by NoiseModel.save"
        )
    if wrong := unfit(model):
        raise ValueError(f"noise={file} holds no noise: {wrong}; write one by NoiseModel.save")
    return model


def unfit(model: NoiseModel) -> str:
    """What is wrong with the numbers of a saved model, or ""."""
    spectrum, curve, colours = (
        part.double() for part in (model.spectrum, model.curve, model.colours)
    )
    if not (spectrum.isfinite().all() and float(spectrum.min()) > 0):
        return "its spectrum is not above 0 everywhere"
    if (rms := float(spectrum.square().mean().sqrt())) > LOUDEST:
        return f"the rms of its spectrum is {rms:.3g}, more than {LOUDEST:g} of full scale"
    if not (curve.isfinite().all() and float(curve.min()) > 0):
        return "its curve is not above 0 everywhere"
    far = (colours @ colours.T - torch.eye(3)).abs().max()
    return "" if float(far) < TURNED else "its colours are not three directions at right angles"


def of_patch(pixels: Tensor) -> NoiseModel:
    """The noise of a picture of something even.

    Args:
        pixels: [1, 3, H, W] in [0, 1].

    Raises:
        ValueError: a side has less than 16 pixels, or all of it is clipped.
    """
    if min(pixels.shape[-2:]) < 16:
        raise ValueError(
            f"the patch of noise is {pixels.shape[-1]}x{pixels.shape[-2]} pixels; it needs 16x16"
        )
    sides = [side for side in PATCHES if min(pixels.shape[-2:]) >= 2 * side] or [8]
    blocks = [blocks_of(pixels, OPPONENT, side) for side in sides]
    powers = [b.power.mean(-1) for b in blocks if b is not None]
    if len(powers) < len(blocks):
        raise ValueError("the patch of noise is black or white all over; expose it otherwise")

    spectrum = joined([filled(power) for power in powers]).sqrt().clamp_min(ROUNDING)
    return NoiseModel(spectrum, torch.ones(BRIGHTNESSES), OPPONENT)


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
