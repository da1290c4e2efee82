"""noise=FILE: noise that is known without the photo's own pixels, of patches of it, or as saved.

A patch is a photo of something even, such as a grey card or a lens cap: all of it but its slope is
noise. It tells of the noise at its own brightnesses alone; with_own (profile.py) has the others.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from gdp.picture import to_model
from gdp.restore.noise.blocks import PATCHES, Blocks, blocks_of, rms_over
from gdp.restore.noise.estimate import estimate, filled, joined
from gdp.restore.noise.evenness import unevenness
from gdp.restore.noise.model import (
    BRIGHTNESSES,
    FREQUENCIES,
    OPPONENT,
    ROUNDING,
    NoiseModel,
    curve_at,
)
from gdp.restore.noise.profile import SAME, between, of_patches, with_own
from gdp.storage.places import expand
from operators.coded.compressed import compression_of

SAVED = ".safetensors"
DOUBTFUL, NO_NOISE = 1.45, 1.65  # `unevenness` from which a picture may show something, and does
LOUDEST = 1.0  # rms of a model, [0, 1] units
TURNED = 1e-3  # by how much a model's directions of colour may differ from orthonormal ones
KEPT = 5  # frequencies a side, of 8, whose steps tell how coarse a codec was

STRATA, WIDE = 5, 0.08  # of a patch by its brightness, where that goes over so much of the range
log = logging.getLogger("gdp")


def told_by(files: str | Sequence[str], pixels: Tensor) -> NoiseModel:
    """The noise of a photo by a saved model, or by a patch or several and its own curve.

    Args:
        files: noise=: one, or several patches.
        pixels: the photo [B, C, H, W] in [0, 1].

    Raises:
        ValueError, OSError: see `read`; or there is no file, or several and one is no patch.
    """
    models = [read(Path(file)) for file in ([files] if isinstance(files, str | Path) else files)]
    if not models or (len(models) > 1 and not all(model.at_light for model in models)):
        raise ValueError(
            f"noise={files} takes one file, or several pictures of something even, each at "
            "another brightness; a saved model goes alone"
        )
    model = models[0] if len(models) == 1 else of_patches(models)
    if not model.at_light or min(pixels.shape[-2:]) < 16:
        return model

    # Too little to tell by, or no picture: as the patches have it.
    own = estimate(pixels, coloured=True)
    return model if own.is_white else with_own(model, own, pixels)


def measured_at(model: NoiseModel) -> str:
    """In a line, at which brightness a patch has shown the noise; nothing of other models."""
    if not model.at_light:
        return ""
    low, high = model.at_light[0], model.at_light[-1]
    one = high - low < SAME
    where = f"a brightness of {low:.2f}" if one else f"brightnesses of {low:.2f} to {high:.2f}"
    flat = torch.equal(model.curve, torch.ones_like(model.curve))
    how = "it is taken to be the same" if flat else "it goes as the photo's own does"
    return f"its noise was measured at {where}, of 1 for white; at others {how}"


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
    model = of_patch(pixels)

    # What the patch's own JPEG did to it says nothing of the photo's, whose file tells that.
    coded = compression_of(file)
    error = 0.0 if coded is None else float(coded.error(to_model(pixels))) / 2
    return model.scaled(max(model.std**2 - error**2, ROUNDING**2) ** 0.5)


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
        at = tuple(parts["at_light"].flatten().tolist()) if "at_light" in parts else ()
        model = NoiseModel(parts["spectrum"], parts["curve"], parts["colours"], at_light=at)
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
    if not all(0 <= b <= 1 for b in model.at_light) or [*model.at_light] != sorted(model.at_light):
        return "the brightnesses of its patches do not rise from 0 to 1"
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
    blocks = [b for b in (blocks_of(pixels, OPPONENT, side) for side in sides) if b is not None]
    if len(blocks) < len(sides):
        raise ValueError("the patch of noise is black or white all over; expose it otherwise")

    at, curve = lights_of(blocks[0])
    powers = [(b.power / curve_at(curve, b.brightness).square()).mean(-1) for b in blocks]
    spectrum = joined([filled(power) for power in powers]).sqrt().clamp_min(ROUNDING)
    return NoiseModel(spectrum, curve, OPPONENT, at_light=at)


def lights_of(b: Blocks) -> tuple[tuple[float, ...], Tensor]:
    """The brightnesses at which a patch shows its noise, and the curve [17] of that."""
    whole = (float(b.brightness.mean()),)
    low, high = b.brightness.quantile(torch.tensor([0.1, 0.9]).to(b.brightness)).tolist()
    if high - low < WIDE or len(b.brightness) < STRATA:
        return whole, torch.ones(BRIGHTNESSES)

    # Of what is fine alone: slopes and spots are none of it.
    n = torch.arange(b.power.shape[1])
    fine = torch.maximum(n[:, None], n) >= len(n) // 4
    level = b.power[:, fine].mean((0, 1))
    strata = b.brightness.argsort().tensor_split(STRATA)
    at = torch.stack([b.brightness[k].mean() for k in strata])
    stds = torch.stack([level[k].mean() for k in strata]).clamp_min(1e-12).sqrt()
    curve = between(torch.linspace(0, 1, BRIGHTNESSES), at, stds.log()).exp()
    return tuple(at.tolist()), curve / rms_over(b, curve)
