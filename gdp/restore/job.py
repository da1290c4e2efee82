"""One photo's restoration in memory, from its pixels to a Result: no files are written, and no command line is known."""

import copy
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gdp.picture import image
from gdp.picture.image import Photo
from gdp.prior.prior import Prior
from gdp.restore import facts as report
from gdp.restore import metrics, pipeline
from gdp.restore.pipeline import OnStep, Outcome
from gdp.storage.snapshot import Place

if TYPE_CHECKING:
    from gdp.restore.setup import Setup
    from operators.base import Operator

CLEAN = 0.004  # std of noise that is not worth removing
log = logging.getLogger("gdp")


class Case(NamedTuple):
    """A photo ready to be restored."""

    name: str  # what it is called in messages
    y: Tensor  # [1, ...] in model units
    operator: "Operator"  # a copy of its own, with y's noise; not bound
    photo: Photo  # what its result keeps of it: alpha, profile ...
    reference: Tensor | None  # the clean photo that y was made from, [1, 3, H, W] in [0, 1]
    init: Tensor | None  # [1, 3, H, W] in [0, 1]
    alone: bool  # its operator is nobody else's


class Result(NamedTuple):
    """A restoration: pictures in [0, 1], not clipped, and what a report says of it."""

    pixels: Tensor  # [S, 3, H, W], a sample each
    y: Tensor  # [1, ...] in [0, 1]
    photo: Photo
    reference: Tensor | None
    pictures: dict[str, Tensor]  # what was found of the degradation, [1, 1 or 3, h, w]
    light: Tensor | None  # of a scene, linear and without an upper end: [1, 3, H, W]
    facts: dict[str, Any]

    @property
    def image(self) -> Tensor:
        """The first sample [1, 3, H, W]."""
        return self.pixels[:1]

    @property
    def mean(self) -> Tensor:
        """The samples' mean [1, 3, H, W], the estimate of least squared error."""
        return self.pixels.mean(0, keepdim=True)

    @property
    def std(self) -> Tensor:
        """Where two samples and more differ, [1, 1, H, W]."""
        return self.pixels.std(0, keepdim=True).mean(1, keepdim=True)


def restore(
    photo: Photo, setup: "Setup", prior: Prior, name: str = "photo", on_step: OnStep | None = None
) -> Result:
    """The restoration of a photo as `setup` says. ValueError or TypeError where photo and setup do not fit, or sampling diverged."""
    case = prepare(photo, setup, prior.device, name)
    return finish(case, sample(case, setup, prior, on_step), setup, prior)


def prepare(
    photo: Photo,
    setup: "Setup",
    device: torch.device,
    name: str,
    file: Path | None = None,
    init: Tensor | None = None,
) -> Case:
    """y and its operator; `file` is where the photo was read from, `init` [1, 3, H, W] a first picture in [0, 1]."""
    config = setup.config
    common = copy.deepcopy(setup.operator)
    operator = common if file is None or config["degrade"] else common.for_file(file)
    alone = operator is not common or not shareable(setup)
    operator = operator.to(device)
    pixels, reference = photo.pixels.to(device), None
    if config["degrade"]:
        reference = pixels = pipeline.crop(pixels, operator.divisor)
        y = pipeline.degrade(
            pixels,
            operator,
            config["sigma_y"],
            [config["seed"]],
            config["poisson"],
            config["impulse"],
        )
    else:
        y = pipeline.observe(pixels, operator, config["sigma_y"], photo.rounding)
    if file is not None:
        image.check_result(
            image.suffix_for(file, config["format"], config["scene"]),
            config["depth"],
            *operator.x_shape(y)[-2:],
        )
    if config["sigma_y"] == pipeline.AUTO:
        tell_noise(operator, name, setup)
    if init is not None:
        init = init.to(device)
        init = pipeline.check_init(
            pipeline.crop(init, operator.divisor) if config["degrade"] else init, operator, y
        )
    return Case(name, y, operator, photo, reference, init, alone)


def fitting_alpha(photo: Photo, setup: "Setup") -> Photo:
    """The photo with the alpha of its result: cut as a clean photo is that is to be degraded, with the frame that outpainting adds."""
    if photo.alpha is None:
        return photo
    cut = setup.config["degrade"]
    return photo._replace(
        alpha=pipeline.crop(photo.alpha, setup.operator.divisor)
        if cut
        else image.framed(photo.alpha, setup.operator.frame)
    )


def passes(case: Case, setup: "Setup", prior: Prior) -> list[int]:
    """Network calls of each pass over the picture."""
    return setup.sampler.passes(prior.T, case.operator, case.y)[: None if case.init is None else 1]


def seeds(setup: "Setup") -> list[int]:
    """Of each sample."""
    return [setup.config["seed"] + k for k in range(setup.config["samples"])]


def sample(case: Case, setup: "Setup", prior: Prior, on_step: OnStep | None = None) -> Outcome:
    """What the network is asked for: all samples of one photo."""
    return sample_all([case], setup, prior, on_step)[0]


def sample_all(
    cases: Sequence[Case],
    setup: "Setup",
    prior: Prior,
    on_step: OnStep | None = None,
    keep: Place | None = None,
) -> list[Outcome]:
    """The samples of several photos, or of one, in shared calls of the network; `likeness` says which photos may share them."""
    A = cases[0].operator
    first = [case.init for case in cases if case.init is not None]
    restore = partial(pipeline.restore, prior, A, setup.sampler, on_step=on_step)
    y = torch.cat([case.y for case in cases])
    most = at_once(setup, A.x_shape(cases[0].y)[-2:], y.device)
    return pipeline.draw(restore, y, seeds(setup), torch.cat(first) if first else None, most, keep)


def at_once(setup: "Setup", size: Sequence[int], device: torch.device) -> int:
    """How many results of a size (height, width) may be made together."""
    batch = setup.config["batch"]
    return pipeline.at_once(size, device) if batch == pipeline.AUTO else batch


def shareable(setup: "Setup") -> bool:
    """Whether photos may share network calls at all: not where something is found or drawn for each of them, which makes A its own."""
    config = setup.config
    alone = config["sigma_y"] == pipeline.AUTO or config["poisson"] is not None or config["scene"]
    return not (alone or setup.operator.blind)


def likeness(case: Case) -> tuple[Any, ...] | None:
    """The same for cases that may share network calls: one shape of y, one noise, one operator. None for a case that may not."""
    return None if case.alone else (tuple(case.y.shape), case.operator.sigma_y)


def finish(case: Case, outcome: Outcome, setup: "Setup", prior: Prior) -> Result:
    """What comes after sampling: colours, known pixels, strength, scores, the report."""
    config, y = setup.config, case.y
    outcome = pipeline.recoloured(outcome, y, config["colourfix"])
    if not config["degrade"]:
        outcome = pipeline.snap(outcome, y, case.photo.rounding)
    if config["strength"] < 1:
        outcome = pipeline.blend(outcome, setup.plain(outcome, y), config["strength"])
    A: Any = outcome.operator
    if remark := A.remark(y):
        log.warning("%s: %s", case.name, remark)
    result = outcome.pixels[:1]
    return Result(
        pixels=outcome.pixels,
        y=image.to_image(y),
        photo=case.photo,
        reference=case.reference,
        pictures=A.pictures(y),
        light=A.radiance(image.to_model(result)) if config["scene"] else None,
        facts={
            "size": [result.shape[-1], result.shape[-2]],
            "seed": config["seed"],
            "sigma_y": case.operator.sigma_y / 2,
            "sigma_y_estimated": config["sigma_y"] == pipeline.AUTO,
            "nfe": outcome.nfe,
            "seconds": outcome.seconds,
            "seconds_per_nfe": outcome.seconds / max(outcome.nfe, 1),
            "peak_memory_mb": report.peak_memory_mb(prior.device),
            "consistency": pipeline.consistency(result, A, y),
            "consistency_saved": pipeline.consistency(image.rounded(result), A, y),
            "scores": None if case.reference is None else metrics.scores(result, case.reference),
            "samples": spread(outcome.pixels, case.reference),
            "operator": A.describe(y),
            "prior": prior.source,
            "hardware": report.hardware(prior.device),
            "versions": report.versions(),
            "choices": setup.choices,
            "overrides": setup.overrides,
            "config": config,
        },
    )


def spread(pixels: Tensor, reference: Tensor | None) -> dict[str, Any] | None:
    """How much two samples and more [S, 3, H, W] differ, and how good their mean is."""
    if len(pixels) == 1:
        return None
    std = pixels.std(0).mean(0)
    scores = None if reference is None else metrics.scores(pixels.mean(0, keepdim=True), reference)
    return {
        "count": len(pixels),
        "std": float(std.mean()),
        "std_at_white": max(float(std.max()), 1e-6),
        "scores_of_mean": scores,
    }


def tell_noise(operator: Any, name: str, setup: "Setup") -> None:
    """Say what noise was estimated; warn where there is next to none, and nothing else to undo."""
    log.info("%s: sigma_y=%.4f, estimated", name, operator.sigma_y / 2)
    if setup.noise_alone and operator.sigma_y / 2 < CLEAN:
        log.warning(
            "%s has next to no noise, so little will change; sigma_y=0.02 and more smooths it all the same",
            name,
        )
