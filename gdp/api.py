"""Restoration from Python: `gdp.restore` and `gdp.load_prior`, with the command line's settings as keywords. Nothing global is changed."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from gdp.compose.configuration import build, configured
from gdp.picture import arrays
from gdp.picture.codec.write import KINDS
from gdp.picture.image import namesake, picture_of, to_image, write
from gdp.picture.photo import Photo
from gdp.picture.scene import scene
from gdp.prior.prior import Prior
from gdp.restore import job
from gdp.restore.setup import Setup

if TYPE_CHECKING:
    from operators.base import Operator
    from samplers.base import Sampler

FILES_ONLY = (
    "input",
    "output",
    "recursive",
    "overwrite",
    "preview",
    "report",
    "verbose",
    "checkpoint",
    "format",
    "image_quality",
    "depth",
    "keep_exif",
)
SHOWN = 1024  # pixels of the longer side in a notebook
OnStep = Callable[[int, int, Tensor], Any]  # (calls done, calls in all, x0 [B, 3, H, W] in [0, 1])


@dataclass(frozen=True, repr=False)
class Result:
    """A restoration. Pictures are of the kind of the photo that was given (of a path: PIL images), maps are arrays or tensors."""

    image: Any  # the restoration, the first sample
    std: Any  # where samples differ: their std in [0, 1] units, [H, W]; None of one sample
    report: dict[str, Any]  # what NAME.json holds; of a batch the first photo's
    mean: Any  # of the samples: the estimate of least squared error
    samples: list[Any]
    found: dict[
        str, Any
    ]  # maps of what was found of the degradation, such as the kernel of a blind blur
    light: Any  # of a scene (task=hdr): linear, without an upper end; else None
    reports: list[dict[str, Any]]  # one for each photo of a batch
    pixels: list[Tensor] = field(
        repr=False
    )  # of each photo, [samples, 3, H, W] in [0, 1], not clipped
    photos: list[Photo] = field(repr=False)

    def __repr__(self) -> str:
        """In a line."""
        width, height = self.report["size"]
        several = f"{len(self.reports)} photos, " if len(self.reports) > 1 else ""
        return f"Result({several}{width}x{height}, consistency {self.report['consistency']:.2g}, {self.report['seconds']:.1f} s)"

    def save(self, path: str | Path, quality: int = 95) -> Path:
        """Write the image, whole or not at all, in the format that the name ends in; with the photo's transparency, profile and depth.

        A file of that name is replaced. ValueError where the format is unknown, or of a batch; OSError where it cannot be written.
        """
        file = Path(path).expanduser()
        if file.suffix.lower() not in KINDS:
            raise ValueError(f"{file.name}: pictures are written as {', '.join(KINDS)}")
        if len(self.pixels) > 1:
            raise ValueError(
                f"the result is a batch of {len(self.pixels)} photos; restore them one by one to save them"
            )
        write(self.pixels[0][:1], file, like=self.photos[0], quality=quality)
        return file

    def _repr_png_(self) -> bytes:
        """How a notebook shows it: all photos of a batch in a row."""
        rows = [picture_of(pixels[:1]) for pixels in self.pixels]
        sheet = Image.new("RGB", (sum(p.width for p in rows), max(p.height for p in rows)))
        for k, picture in enumerate(rows):
            sheet.paste(picture, (sum(p.width for p in rows[:k]), 0))
        sheet.thumbnail((SHOWN, SHOWN))
        stream = io.BytesIO()
        sheet.save(stream, format="PNG")
        return stream.getvalue()


def restore(
    photo: Any,
    *,
    operator: "str | Mapping[str, Any] | Operator | None" = None,
    sampler: "str | Mapping[str, Any] | Sampler | None" = None,
    prior: str | Mapping[str, Any] | Prior | None = None,
    mask: Any = None,
    init: Any = None,
    on_step: OnStep | None = None,
    **settings: Any,
) -> Result:
    """The restoration of a photo: a path, PIL image, array [H, W], [H, W, 3 or 4], or tensor [3, H, W], [B, 3, H, W] with values in [0, 1].

    With task="hdr" it is a list of exposures. Settings are the command line's (conf/config.yaml): task="sr4", sigma_y=0.02,
    operator={"r": 2} or **{"operator.r": 2}. Operator, sampler and prior may be objects; `mask` and `init` pictures of any kind too.
    `on_step(done, total, x0)` follows the network's calls, and may raise to stop. ValueError, TypeError or OSError, in a line, where
    something does not fit.
    """
    for name in settings:
        if name in FILES_ONLY:
            raise ValueError(
                f"{name}= is of the command line, which reads and writes files; here take restore(photo) and result.save(path)"
            )
    parts = {"operator": operator, "sampler": sampler, "prior": prior}
    settings |= {name: part for name, part in parts.items() if isinstance(part, str | Mapping)}
    objects = {
        name: part
        for name, part in parts.items()
        if part is not None and not isinstance(part, str | Mapping)
    }
    if prior is not None and not isinstance(prior, str | Mapping | Prior):
        raise TypeError(
            f"prior= is a {type(prior).__name__}; it takes a name, settings, or what gdp.load_prior gives"
        )
    if mask is not None:
        settings["mask"] = Path(mask) if isinstance(mask, str | Path) else arrays.mask_of(mask)
    first = None
    if init is not None:
        if isinstance(init, str | Path) and isinstance(photo, str | Path):
            init = namesake(init, Path(photo))
        first = arrays.given(init, "init").photos[0].pixels
        settings["init"] = first
    setup = build(*configured(settings), objects)
    frame = None if setup.config["degrade"] else setup.operator.frame
    given = (
        together(photo)
        if setup.config["scene"] and not setup.config["degrade"]
        else arrays.given(alone(photo), frame=frame)
    )
    loaded = setup.load_prior()
    setup.sampler.schedule.times(loaded.T)  # refuses what does not fit
    with torch.inference_mode(False):
        results = restored(given, first, setup, loaded, on_step)
    return collected(given, results)


def load_prior(
    name: str | Path | Mapping[str, Any] = "photo64", device: str = "auto", **settings: Any
) -> Prior:
    """A prior for restore(prior=...), by as many calls and threads as you like.

    `name` is one of conf/prior/, a file of weights with a config.yaml beside it, or a mapping with a "name" and settings; those are of
    conf/prior/NAME.yaml, such as dtype="float32". ValueError or OSError, in a line, where it cannot be had.
    """
    if isinstance(name, Mapping):
        settings = {"name": "custom", **name, **settings}
        name = str(settings.pop("name"))
    file = Path(name)
    if isinstance(name, Path) or len(file.parts) > 1 or file.suffix:
        settings, name = {"path": file, **settings}, "custom"
    cfg, choices, words = configured(
        {
            "prior": name,
            "device": device,
            **{f"prior.{key}": value for key, value in settings.items()},
        }
    )
    return build(cfg, choices, words).bare_prior()


def alone(photo: Any) -> Any:
    """What is one photo. TypeError of a list."""
    if isinstance(photo, list | tuple):
        raise TypeError(
            f"got a list of {len(photo)} photos, which only task='hdr' takes; restore them one by one"
        )
    return photo


def together(photos: Any) -> arrays.Given:
    """Exposures of a scene as one photo, of the kind of the first. TypeError where they are no list."""
    if not isinstance(photos, list | tuple):
        raise TypeError(
            f"task='hdr' got a {type(photos).__name__}; it takes a list of 2 to 7 exposures of one scene"
        )
    parts = [arrays.given(photo, f"exposure {k + 1}") for k, photo in enumerate(photos)]
    for part in parts:
        if len(part.photos) > 1:
            raise ValueError(f"the {part.name} is a batch; each exposure is one photo")
    return parts[0]._replace(
        photos=[scene([part.photos[0] for part in parts], [part.name for part in parts])]
    )


def restored(
    given: arrays.Given, init: Tensor | None, setup: Setup, prior: Prior, on_step: OnStep | None
) -> list[job.Result]:
    """The restorations of the photos given; those that may share the network's calls do."""
    cases = [
        job.prepare(photo, setup, prior.device, given.name, given.file, init)
        for photo in given.photos
    ]
    groups = grouped(cases, setup)
    samples, began = setup.config["samples"], prior.calls
    totals = [
        sum(job.passes(g[0], setup, prior))
        * (-(-samples // at_once(g[0], setup)) if len(g) == 1 else 1)
        for g in groups
    ]
    results = []
    for k, group in enumerate(groups):

        def step(t: int, x: Tensor, x0: Tensor, most: int = sum(totals[: k + 1])) -> None:
            if on_step is not None:
                on_step(min(prior.calls - began, most), sum(totals), to_image(x0))

        outcomes = job.sample_all(group, setup, prior, step)
        results += [
            job.finish(case, outcome, setup, prior)
            for case, outcome in zip(group, outcomes, strict=True)
        ]
    return results


def grouped(cases: Sequence[job.Case], setup: Setup) -> list[list[job.Case]]:
    """Cases in their order, those in a row together that may share calls, as many as memory bears."""
    groups: list[list[job.Case]] = []
    for case in cases:
        like = job.likeness(case)
        room = groups and (len(groups[-1]) + 1) * setup.config["samples"] <= at_once(case, setup)
        if room and like is not None and like == job.likeness(groups[-1][0]):
            groups[-1].append(case)
        else:
            groups.append([case])
    return groups


def at_once(case: job.Case, setup: Setup) -> int:
    """How many results like the case's may be made together."""
    return job.at_once(setup, case.operator.x_shape(case.y)[-2:], case.y.device)


def collected(given: arrays.Given, results: list[job.Result]) -> Result:
    """What was made of each photo, as the caller's kind."""
    source = str(given.file or given.name)
    reports = [{"input": source, **r.facts} for r in results]
    several = len(results[0].pixels) > 1
    return Result(
        image=given.picture(torch.cat([r.image for r in results])),
        std=given.map(torch.cat([r.std for r in results])) if several else None,
        report=reports[0],
        mean=given.picture(torch.cat([r.mean for r in results])),
        samples=[
            given.picture(torch.cat([r.pixels[k : k + 1] for r in results]))
            for k in range(len(results[0].pixels))
        ],
        found={
            name: given.map(torch.cat([r.pictures[name] for r in results]))
            for name in results[0].pictures
        },
        light=None if results[0].light is None else given.map(results[0].light),
        reports=reports,
        pixels=[r.pixels.cpu() for r in results],
        photos=given.photos,
    )
