"""The tasks before the last of a row: each restores the result of the one before it."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from gdp.picture import Photo
from gdp.prior.prior import Prior
from gdp.restore.finish import finish
from gdp.restore.first.begin import begun
from gdp.restore.observe import Measurement, observe
from gdp.restore.sample import sample
from gdp.restore.setup import Setup
from operators.coded.compressed import compression_of

TOLD = ("sigma_y", "nfe", "seconds", "consistency", "operator", "first")  # of a stage, in a report
FINE = 4.0  # mean step of brightness, in levels of 255, up to which undoing it gains nothing
log = logging.getLogger("gdp")


class Before(NamedTuple):
    """What was done to a photo before its last task."""

    pictures: dict[str, Tensor]  # [1, 3, h, w] in [0, 1], by the names that files have
    reports: list[dict[str, Any]]
    given: Tensor | None = None  # the photo [1, 3, H, W] in [0, 1] whose noise or codec was undone


def through(
    photo: Photo, setup: Setup, prior: Prior, name: str, file: Path | None
) -> tuple[Photo, Before]:
    """Do what goes before a setup's own task.

    Args:
        photo: as it is.
        setup: with the setups before it.
        prior: loaded.
        name: what messages call the photo.
        file: where it was read from.

    Returns:
        The photo for the last task, and what is to be saved and told.

    Raises:
        ValueError: the photo does not fit one of the tasks.
    """
    before = Before({}, [])
    for title, (task, stage) in zip(stage_names(setup), setup.before, strict=True):
        photo, told = through_one(photo, task, stage, prior, name, file)
        before.pictures[title] = photo.pixels
        before.reports.append(told)
    return photo, before


def through_one(
    photo: Photo, task: str, stage: Setup, prior: Prior, name: str, file: Path | None
) -> tuple[Photo, dict[str, Any]]:
    """Do one task to a photo: its result as a photo, and what a report tells of it."""
    measurement = begun(observe(photo, stage, prior.device, f"{name} ({task})", file), stage)
    (restored,), cost = sample([measurement], stage, prior)
    result = finish(measurement, restored, cost, stage, prior)

    told = {key: result.report[key] for key in TOLD if key in result.report}
    picture = result.pixels[0, :1].clamp(0, 1).cpu()
    return photo._replace(pixels=picture), {"task": task, **told}


def observe_last(
    photo: Photo,
    setup: Setup,
    prior: Prior,
    name: str,
    file: Path | None = None,
    init: Tensor | None = None,
    reference: Tensor | None = None,
) -> Measurement:
    """As gdp.restore.observe.observe, of the photo after what goes before, and begun.

    `prior` is loaded.
    """
    photo, before = through(photo, setup, prior, name, file)

    def look(setup: Setup) -> Measurement:
        """At the photo as it is by now."""
        return observe(photo, setup, prior.device, name, file, init, reference, before)

    # Noise, and a file's compression with it, where colours are to be found.
    if setup.cleaned is not None and is_picture(photo):
        photo, before = ahead(photo, before, "denoise", setup.cleaned, prior, name, file)
        setup = resolved(setup, sigma_y=photo.rounding, jpeg="off")
        return begun(look(setup), setup)
    decoder = setup.decoded
    if decoder is None or not is_coded(photo, file):
        return begun(look(setup), setup)

    # Mending light that was too weak brings the compression out. Where nobody says that it was,
    # one look at the photo as it is decides, and finds the light that is mended.
    looked: Measurement | None = None
    if not setup.operator.brightens:
        looked = look(setup)
        found = looked.operator.as_found(looked.y)
        if not found.brightens:
            return begun(looked, setup)
        setup = setup._replace(operator=found.to("cpu"))

    log.info("%s: the file's compression is undone first", name)
    photo, before = ahead(photo, before, "jpeg", decoder, prior, name, file)
    setup = resolved(setup, jpeg="off")
    own = look(setup)
    return begun(own if looked is None else own._replace(findings=looked.findings), setup)


def ahead(
    photo: Photo,
    before: Before,
    task: str,
    stage: Setup,
    prior: Prior,
    name: str,
    file: Path | None,
) -> tuple[Photo, Before]:
    """Undo what would be in the way of a task: the photo without it, and what is told of it."""
    without, told = through_one(photo, task, stage, prior, name, file)
    return without, before._replace(given=photo.pixels, reports=[*before.reports, told])


def resolved(setup: Setup, **settings: Any) -> Setup:
    """A setup with other settings."""
    return setup._replace(config={**setup.config, **settings})


def is_picture(photo: Photo) -> bool:
    """Whether a photo is one picture, and no measurement and no row of exposures."""
    return not photo.measured and photo.pixels.shape[1] == 3


def is_coded(photo: Photo, file: Path | None) -> bool:
    """Whether a photo is one picture, out of a JPEG file with tables that are not too fine."""
    if file is None or not is_picture(photo):
        return False
    jpeg = compression_of(file)
    return jpeg is not None and float(jpeg.steps[0].mean()) > FINE


def stage_names(setup: Setup) -> list[str]:
    """The names of the pictures that stages leave, such as "1-colorize"."""
    return [f"{k}-{task}" for k, (task, _) in enumerate(setup.before, 1)]
