"""From a photo to the measurement that a sampler works on: y, its operator, and the noise in y."""

import copy
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from gdp.picture import Photo, check_result, extend_alpha, suffix_for, to_model
from gdp.restore.first.stage_one import First
from gdp.restore.masking import fit_mask
from gdp.restore.measure import dear, fitted, starting, viewed
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.taking import of_developed as of_developed
from gdp.restore.noise.taking import take as take
from gdp.restore.noise.taking import taken
from gdp.restore.scores import truth
from gdp.restore.setup import AUTO, Setup
from gdp.restore.several.steady import Past
from gdp.restore.simulate import crop as crop
from gdp.restore.simulate import degrade as degrade
from gdp.restore.simulate import made
from operators.base import Operator
from operators.noise.tint import Tint, own_std

OF_PICTURES = {"degrade": False, "noise": "auto", "colourfix": "none", "scene": False}
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
    shown: NoiseModel | None = None  # of what it shows where its light is mended
    findings: Sequence[str] = ()  # what the operator found in the photo, in lines
    first: First | None = None  # what it is started from, in place of a first guess
    before: Any = None  # what was done to it before, see chain.py
    past: Past | None = None  # of a film the frame before
    mending: Any = None  # what is taken out of the result at the end, see Operator.mending
    otherwise: Operator | None = None  # of this photo where its noise turns out to be texture
    tint: Tint | None = None  # what was put into y, and goes again

    @property
    def given(self) -> Tensor:
        """y as the photo's file has it, if noise or a compression was undone first."""
        own = self.before.given if self.before else None
        if own is None or own.shape != self.y.shape:
            return self.y
        return to_model(own).to(self.y)

    @property
    def sigma_y(self) -> float:
        """The std of the photo's noise, in A's units."""
        return own_std(self.operator, self.tint)

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
    before: Any = None,
) -> Measurement:
    """Turn a photo into the measurement that a sampler works on; begin.py tells how it begins.

    Args:
        photo: pixels [1, 3, H, W] in [0, 1]; with degrade=true the clean photo that y is made from.
        setup: operator, sampler and settings.
        device: where y and its operator are to be. All that is found in a photo or drawn for it
            is so on the CPU, the same for every device.
        name: what messages call the photo.
        file: where the photo was read from; an operator may find more there than in the pixels.
        init: a picture to start from, [1, 3, H, W] in [0, 1], of the result's size.
        reference: the truth of a photo that is degraded already, likewise.
        before: what was done to the photo before, see chain.py.

    Raises:
        ValueError: the photo does not fit the operator, the result's format, `init` or the truth.
    """
    config, own = setup.config, copy.deepcopy(setup.operator)
    own.moving = config["video"]
    if photo.measured:
        return observe_measurement(photo, own.to(device), setup, device, name, init)
    operator = own if file is None or config["degrade"] else own.for_file(file)
    if photo.stops is not None and operator.offers("exposed"):
        operator = cast(Any, operator).exposed(photo.stops)
    alone = operator is not own or not setup.shareable
    alone = fit_mask(operator, photo, name, file, config) or alone

    # Make y of a clean photo, or take the photo for y.
    if config["degrade"]:
        seen = made(photo.pixels.cpu(), operator, setup, reference)
        reference = seen.reference
    else:
        seen = taken(photo, operator, setup, file)
    operator, y = seen.operator, seen.y
    findings, alone = seen.findings, alone or seen.alone

    # Refuse what cannot be saved, before any time is spent on it.
    H, W = operator.x_shape(y)[-2:]
    if file is not None:
        suffix = suffix_for(file, config["format"], config["scene"])
        check_result(suffix, config["depth"], H, W)
    for line in filter(None, (*findings, dear(setup.operator))):
        log.info("%s: %s", name, line)
    if config["sigma_y"] == AUTO:
        kind = "" if operator.whitening is None else ", coloured"
        sigma_y = own_std(operator, seen.tint) / 2
        log.info("%s: sigma_y=%.4f, estimated%s", name, sigma_y, kind)
    if config["sigma_y"] == AUTO and setup.noise_alone and operator.sigma_y / 2 < CLEAN:
        log.warning(
            "%s has next to no noise, so little will change; "
            "sigma_y=0.02 and more smooths it all the same",
            name,
        )

    # A picture to start from has the result's size.
    if init is not None and config["degrade"]:
        init = crop(init, operator.divisor)
    init = starting(init, H, W, device)
    if reference is not None:
        truth.check(reference, H, W)
        reference = reference.to(device)

    there, y = operator.to(device), y.to(device)
    otherwise = None if seen.otherwise is None else seen.otherwise.to(device)
    tint = None if seen.tint is None else seen.tint._replace(y=seen.tint.y.to(device))
    found = (seen.model, seen.shown, findings, None, before, None, seen.mending, otherwise, tint)
    return Measurement(name, y, there, photo, reference, init, alone, *found)


def observe_measurement(
    photo: Photo,
    operator: Operator,
    setup: Setup,
    device: torch.device,
    name: str,
    init: Tensor | None,
) -> Measurement:
    """Take a measurement for y as it is, in A's own units; sigma_y is in these, too.

    Raises:
        ValueError: it does not fit the operator, or a setting is of pictures alone.
    """
    config = setup.config
    for setting, plain in OF_PICTURES.items():
        if config[setting] != plain:
            raise ValueError(
                f"{setting}={config[setting]} is of pictures, and {name} is a measurement; "
                "leave it out"
            )
    if config["sigma_y"] == AUTO:
        raise ValueError(
            f"sigma_y=auto looks at pictures, and {name} is a measurement; "
            "give the std of its noise, in its own units"
        )
    if init is not None and init.shape[1] != 3:
        raise ValueError(f"init= is a picture of {init.shape[1]} channels; it takes 3")

    given = fitted(photo.pixels, operator).to(device)
    operator, y = viewed(operator.with_noise(config["sigma_y"]), given, own_units=True)
    if dear(setup.operator):
        log.info("%s: %s", name, dear(setup.operator))
    H, W = operator.x_shape(y)[-2:]
    first = starting(init, H, W, device)
    return Measurement(name, y, operator, photo, None, first, not setup.shareable)


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
