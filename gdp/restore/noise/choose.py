"""Which noise a photo is taken to have: by the settings noise= and sigma_y=, and by its pixels.

noise      sigma_y=auto                            sigma_y=NUMBER, its rms
auto       as estimated                            white; drawn to the estimate if noise is all,
                                                   which it is, far off, and one for all channels
                                                   of a grey photo
white      white, estimated                        white
camera     as estimated, white at no frequency     of that kind
grain      as estimated, alike in all channels     of that kind
jpeg       what the file has rounded away          of that kind
profile    as a raw file's maker states it         of that kind
FILE       as the patches have it, or as saved     of that kind

With auto, camera and grain, a profile that the file states bounds the estimate (profile.py).
"""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from gdp.picture import is_grey
from gdp.prior.noise import Noise
from gdp.restore.noise.codec import of_tables
from gdp.restore.noise.estimate import estimate
from gdp.restore.noise.level import estimate_sigma
from gdp.restore.noise.model import OPPONENT, SURE, NoiseModel
from gdp.restore.noise.profile import held_to, of_profile, profile_of
from gdp.restore.noise.shape import in_all_channels, one_for_all
from gdp.restore.noise.sources import told_by
from operators.base import LinearOperator, Operator
from operators.identity import Identity
from operators.noise.tint import Tint

KINDS = ("auto", "white", "camera", "jpeg", "grain", "profile")

# Between which shares of what is estimated a std that is told is believed: estimates err by so
# much. What is farther off is drawn to the likeliest, a little above the estimate: too little
# denoising costs more than too much, until noise is told of that is not there.
WHITE_MOST = 1.1  # times the estimate of white noise, either way
LEAST, MOST = 1.3, 1.1  # of any other: its share below, times it above ...
BELOW, SLACK = 0.001, 0.003  # ... and [0, 1] units less, and more
WHITE_BEST, BEST = 1.04, 1.15  # times the estimate is the likeliest
FAR = 1.25  # times what is believed, from which nothing is left of what is told
APART = 0.5  # share of the std in one direction of colour below which others have little noise
HIDES = 0.006  # std of noise, [-1, 1] units, below which it is rounding
log = logging.getLogger("gdp")


def noise_of(
    pixels: Tensor,
    kind: str | Sequence[str] = "auto",
    sigma_y: float | str = "auto",
    file: Path | None = None,
    alone: bool = False,
) -> NoiseModel:
    """The noise that a photo is taken to have.

    Args:
        pixels: [B, 3, H, W] in [0, 1].
        kind: one of KINDS, a file, or several patches.
        sigma_y: its rms in [0, 1] units, or auto.
        file: the photo's own.
        alone: whether noise is all that there is to undo.

    Raises:
        ValueError: a file holds no noise, or the photo is too small to tell its own.
        OSError: a file cannot be read.
    """
    if kind == "auto" and not isinstance(sigma_y, str):
        return told(sigma_y, pixels) if alone else NoiseModel.white(sigma_y)
    if kind == "white":
        return NoiseModel.white(estimate_sigma(pixels) if isinstance(sigma_y, str) else sigma_y)

    stated = profile_of(file) if file is not None else None
    if kind in ("auto", "camera", "grain"):
        model = estimate(pixels, coloured=kind != "auto")
        model = model if stated is None else held_to(model, stated, pixels)
        if kind == "grain":
            model = in_all_channels(model)
    elif kind == "profile":
        if stated is None:
            raise ValueError(
                f"noise=profile is for files that state one (DNG's NoiseProfile), which "
                f"{'this photo' if file is None else file.name} does not; take noise=auto"
            )
        model = of_profile(stated)
    else:
        model = of_tables(file, pixels) if kind == "jpeg" else told_by(kind, pixels)
    return model if isinstance(sigma_y, str) else model.scaled(sigma_y)


def told(sigma_y: float, pixels: Tensor) -> NoiseModel:
    """White noise of a std that is told, or of one that the photo bears out.

    Too large a std has samplers draw noise that the photo does not have, too small a one leaves
    what they were to remove. Where nothing is left of what is told, the noise is of the colour that
    was found. Of a grey photo, or one in tones, the channels have one noise.
    """
    white = NoiseModel.white(sigma_y)
    if sigma_y == 0 or min(pixels.shape[-2:]) < 16:
        return white
    model = estimate(pixels)
    kept, far = drawn(sigma_y, model)
    as_found = far == 1 and not model.is_flat and (sigma_y > model.std or model.sure >= SURE)
    kept = model.std if as_found else kept
    if kept != sigma_y:
        log.warning(
            "sigma_y=%g is not what the photo shows, %.4f: %.4f is taken; noise=white holds to "
            "what is told",
            sigma_y,
            model.std,
            kept,
        )

    if as_found:
        return model
    if is_grey(pixels) or one_for_all(model):
        return in_all_channels(NoiseModel.white(kept), model.colours).scaled(kept)
    return NoiseModel.white(kept)


def drawn(sigma_y: float, model: NoiseModel) -> tuple[float, float]:
    """The std that is taken where one is told and another found, [0, 1] units; and how far off.

    Within the estimate's errors what is told; the farther beyond them, the more of the estimate.
    Noise of some colour that may yet be texture is believed no more of than its least.
    """
    found, white = model.std, model.is_flat
    down, up = (WHITE_MOST, WHITE_MOST) if white else (LEAST, MOST)
    best = (WHITE_BEST if white else BEST) * found
    least, most = found / down - BELOW, up * found + SLACK
    if least <= sigma_y <= most:
        return sigma_y, 0.0
    if sigma_y < least:
        bound, best = least, best if white else found if model.sure >= SURE else least
    else:
        bound, best = most, max(best, SLACK)
    far = min(1.0, abs(math.log(sigma_y / bound)) / math.log(FAR))
    return bound * (best / bound) ** far, far


def tinted(operator: Operator, tint: Tint | None, y: Tensor) -> tuple[Operator, Tensor]:
    """The operator and y, whose noise is white; as they are where nothing is to be put in."""
    if tint is None:
        return operator, y
    z = Noise([0], "tint").like(y)
    return operator.with_noise(tint.most), tint._replace(y=y).on(cast(LinearOperator, operator), z)


def tint_of(
    operator: Operator, y: Tensor, pixels: Tensor, model: NoiseModel, told: bool = False
) -> Tint | None:
    """What makes y's noise white, where it is of one direction in colour and counted as white.

    A grey photo is one measurement and not three, and so are one in tones and one whose grain all
    channels share. It is for samplers that count y's noise as white: of masks, where `can_whiten`
    says no, and where its std is told.

    Args:
        operator: of the photo, with its noise.
        y: [B, 3, H, W] in [-1, 1].
        pixels: the photo [B, C, H, W] in [0, 1].
        model: its noise.
        told: whether that is a std alone, so that the photo is to show the rest.

    Returns:
        None where y is to stay as it is.
    """
    known = isinstance(operator, LinearOperator) and not isinstance(operator, Identity)
    whitened = operator.whitening is not None or operator.sigma_y < HIDES
    if not known or whitened or operator.blind or y.ndim != 4 or y.shape[1] != 3:
        return None

    # One noise, of which grey has it all; or that of a photo whose colours are no longer in y.
    if is_grey(pixels):
        model = in_all_channels(model).scaled(operator.sigma_y / 2)
    elif told and min(pixels.shape[-2:]) >= 16 and pixels.shape[1] == 3:
        shown = estimate(pixels)
        model = shown.scaled(operator.sigma_y / 2) if one_for_all(shown) else model
    std = 2 * model.spectrum.double().square().mean((1, 2)).sqrt()
    if is_grey(y):
        grey = float((std * (model.colours @ OPPONENT[0]).double()).norm())
        # None where all that counts as noise is what A may be wrong by.
        return Tint(y, OPPONENT, torch.tensor([grey, 0.0, 0.0])) if grey > 0 else None
    apart = float(std.sort().values[-2]) < APART * float(std.max())
    return Tint(y, model.colours, std.float()) if apart else None
