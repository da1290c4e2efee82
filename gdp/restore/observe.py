"""From a photo to the measurement that a sampler works on: y, its operator, and the noise in y."""

import copy
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gdp.picture import Photo, check_result, extend_alpha, suffix_for, to_image, to_model
from gdp.prior.noise import Noise, impulses, photons
from gdp.restore import truth
from gdp.restore.compression import compressed
from gdp.restore.masking import fit_mask
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.choose import noise_of
from gdp.restore.noise.estimate import estimate
from gdp.restore.noise_level import estimate_sigma
from gdp.restore.setup import AUTO, Setup
from operators.base import Operator
from operators.coded.compressed import compression_of
from operators.noise.whitened import can_whiten

WHITE = "white"  # the noise= of it
CLEAN = 0.004  # std of noise, in [0, 1] units, that is not worth removing
log = logging.getLogger("gdp")


class Measurement(NamedTuple):
    """A photo ready to be restored: y = A(x) + noise, and what its result needs of the photo."""

    name: str  # what messages call the photo
    y: Tensor  # [1, ...] in [-1, 1] units
    operator: Operator  # this photo's own copy, with the noise of y; not bound
    photo: Photo  # transparency, colour profile ... of the result
    reference: Tensor | None  # the truth, if it is known, [1, 3, H, W] in [0, 1]
    init: Tensor | None  # a picture to start from, [1, 3, H, W] in [0, 1]
    alone: bool  # no other photo has this operator
    noise: NoiseModel | None = None  # of a photo that is degraded already

    @property
    def likeness(self) -> tuple[object, ...] | None:
        """Equal for photos that may share network calls; None for one that may not."""
        return None if self.alone else (tuple(self.y.shape), self.operator.sigma_y)


def observe(
    photo: Photo,
    setup: Setup,
    device: torch.device,
    name: str,
    file: Path | None = None,
    init: Tensor | None = None,
    reference: Tensor | None = None,
) -> Measurement:
    """Turn a photo into the measurement that a sampler works on.

    Args:
        photo: pixels [1, 3, H, W] in [0, 1]; with degrade=true the clean photo that y is made from.
        setup: operator, sampler and settings.
        device: where y and its operator are to be. All that is found in a photo or drawn for it
            is so on the CPU, the same for every device.
        name: what messages call the photo.
        file: where the photo was read from; an operator may find more there than in the pixels.
        init: a picture to start from, [1, 3, H, W] in [0, 1], of the result's size.
        reference: the truth of a photo that is degraded already, likewise.

    Raises:
        ValueError: the photo does not fit the operator, the result's format, `init` or the truth.
    """
    config, own = setup.config, copy.deepcopy(setup.operator)
    operator = own if file is None or config["degrade"] else own.for_file(file)
    alone = operator is not own or not setup.shareable
    alone = fit_mask(operator, photo, name, file, config) or alone
    pixels = photo.pixels.cpu()

    # Make y of a clean photo, or take the photo for y.
    sigma_y, model = config["sigma_y"], None
    if config["degrade"]:
        if reference is not None:
            raise ValueError(
                "reference= is of a photo that is degraded already; "
                "with degrade=true the photo is the truth itself"
            )
        reference = crop(pixels, operator.divisor)
        noise = (config["poisson"], config["impulse"])
        y, operator = degrade(reference, operator, sigma_y, [config["seed"]], *noise)
    else:
        kind = config["noise"]
        if kind == AUTO and sigma_y == AUTO and enlarges(operator, pixels):
            kind = WHITE
        model = noise_of(pixels, kind, sigma_y, file, setup.noise_alone)
        model = model.at_least(photo.rounding)
        y, operator = take(pixels, operator, model, photo.rounding)
        if sigma_y == AUTO and config["noise"] == AUTO and operator.offers("developed"):
            operator = of_developed(operator, y, photo.rounding)
        alone = alone or operator.whitening is not None
        asked = config["jpeg"] == AUTO and config["noise"] != "jpeg"
        jpeg = compression_of(file) if file is not None and asked else None
        if jpeg is not None:
            found = sigma_y == AUTO
            operator, alone = compressed(operator, y, jpeg, model, found), True

    # Refuse what cannot be saved, before any time is spent on it.
    H, W = operator.x_shape(y)[-2:]
    if file is not None:
        suffix = suffix_for(file, config["format"], config["scene"])
        check_result(suffix, config["depth"], H, W)
    for line in operator.findings:
        log.info("%s: %s", name, line)
    if sigma_y == AUTO:
        kind = "" if operator.whitening is None else ", coloured"
        log.info("%s: sigma_y=%.4f, estimated%s", name, operator.sigma_y / 2, kind)
    if sigma_y == AUTO and setup.noise_alone and operator.sigma_y / 2 < CLEAN:
        log.warning(
            "%s has next to no noise, so little will change; "
            "sigma_y=0.02 and more smooths it all the same",
            name,
        )

    # A picture to start from has the result's size.
    if init is not None:
        init = crop(init, operator.divisor) if config["degrade"] else init
        if init.shape[-2:] != (H, W):
            raise ValueError(
                f"init= is a {init.shape[-1]}x{init.shape[-2]} picture, but the result is "
                f"{W}x{H}; resize it to that"
            )
        init = init.to(device)
    if reference is not None:
        truth.check(reference, H, W)
        reference = reference.to(device)

    there = operator.to(device)
    return Measurement(name, y.to(device), there, photo, reference, init, alone, model)


def enlarges(operator: Operator, pixels: Tensor) -> bool:
    """Whether the result is larger than the photo on both sides.

    Of a photo that was shrunk the texture fills the frequencies by which noise of any colour is
    told from it; the quietest differences, by which white noise is, err on the safe side.
    """
    frame = operator.frame
    if frame is not None or pixels.shape[1] != 3:
        return False
    H, W = operator.x_shape(pixels)[-2:]
    return H > pixels.shape[-2] and W > pixels.shape[-1]


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
    if operator.careful and noise.doubtful:
        noise = NoiseModel.white(rounding)
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


def of_developed(operator: Operator, y: Tensor, rounding: float) -> Operator:
    """The operator for the noise of what y alone shows, where light was mended."""
    if y.shape[1] != 3:
        return operator
    with torch.no_grad():
        noise = estimate(operator.developed(y)).at_least(rounding)
    return operator.with_whitening(noise.whiten)


def degrade(
    pixels: Tensor,
    operator: Operator,
    sigma_y: float | str,
    seeds: Sequence[int],
    poisson: float | None = None,
    impulse: float = 0.0,
) -> tuple[Tensor, Operator]:
    """Make y = A(x) + noise of a clean photo: floats, not clipped, the same for the same seeds.

    Args:
        pixels: the clean photo [B, 3, H, W] in [0, 1].
        operator: the degradation A.
        sigma_y: std of Gaussian noise in [0, 1] units; auto adds none, and estimates y's noise.
        seeds: one for each photo.
        poisson: photons at white; the mean variance of their noise counts into y's.
        impulse: share of the pixels that turn black or white.

    Returns:
        y in [-1, 1] units, and the operator that knows y's noise.
    """
    std = 0.0 if isinstance(sigma_y, str) else sigma_y
    variance = std**2

    # Noise in the order in which a camera adds it: photons, electronics, broken pixels.
    def add_noise(y: Tensor) -> Tensor:
        nonlocal variance
        if poisson:
            variance += float(to_image(y).clamp_min(0).mean()) / poisson
            y = to_model(photons(to_image(y), poisson, seeds))
        if std > 0:
            y = y + 2 * std * Noise(seeds, "degrade").like(y)
        return to_model(impulses(to_image(y), impulse, seeds)) if impulse else y

    with torch.no_grad():
        y, operator = operator.degrade(to_model(pixels), add_noise)

    told = variance**0.5 * operator.noise_gain
    level = estimate_sigma(to_image(y)) if sigma_y == AUTO else told
    operator = operator.with_noise(2 * level)
    with torch.no_grad():
        return y, operator.for_photo(y, operator.sigma_y)


def crop(pixels: Tensor, divisor: int) -> Tensor:
    """The centre of a picture [..., H, W], with sides that are multiples of `divisor`.

    Raises:
        ValueError: a side is shorter than `divisor`.
    """
    H, W = (n - n % divisor for n in pixels.shape[-2:])
    if H == 0 or W == 0:
        size = f"{pixels.shape[-1]}x{pixels.shape[-2]}"
        raise ValueError(
            f"a {size} picture is too small: the operator needs {divisor} pixels a side"
        )
    top, left = (pixels.shape[-2] - H) // 2, (pixels.shape[-1] - W) // 2
    return pixels[..., top : top + H, left : left + W]


def fit_alpha(photo: Photo, setup: Setup) -> Photo:
    """The photo with the transparency of its result.

    A clean photo that is to be degraded is cut as its pixels are; outpainting adds its frame.
    """
    if photo.alpha is None:
        return photo
    cut = setup.config["degrade"]
    alpha = crop(photo.alpha, setup.operator.divisor) if cut else None
    return photo._replace(
        alpha=extend_alpha(photo.alpha, setup.operator.frame) if alpha is None else alpha
    )
