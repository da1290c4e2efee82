"""Restoration from Python: `gdp.restore` and `gdp.load_prior`.

Settings are the command line's, as keywords. Nothing global is changed.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from gdp.compose.building import build
from gdp.compose.configuration import compose_settings
from gdp.compose.parts import build_all
from gdp.compose.settings import FILES_ONLY
from gdp.compose.tasks import written_out
from gdp.picture import mask_of, to_image
from gdp.picture.arrays import Source
from gdp.prior.prior import Prior
from gdp.restore.cost import Work, check_memory, check_outcome, check_pair, check_time
from gdp.restore.finish import as_x, finish
from gdp.restore.observe import Measurement
from gdp.restore.result import Result, join
from gdp.restore.sample import OnCall, batches_of, expected_passes, followed, sample
from gdp.restore.setup import Setup
from gdp.restore.several.chain import observe_last
from gdp.restore.sources import picture_beside, source_from
from operators.base import Operator
from samplers.restorer import Restorer

__all__ = ["OnStep", "Result", "load_prior", "restore"]

OnStep = OnCall
OnePhoto = str | Path | bytes | BinaryIO | Image.Image


@overload
def restore(photo: np.ndarray, **settings: Any) -> Result[np.ndarray, np.ndarray]: ...
@overload
def restore(photo: Tensor, **settings: Any) -> Result[Tensor, Tensor]: ...
@overload
def restore(photo: OnePhoto, **settings: Any) -> Result[Image.Image, np.ndarray]: ...
@overload
def restore(photo: Any = None, **settings: Any) -> Result[Any, Any]: ...
def restore(
    photo: Any = None,
    *,
    y: Any = None,
    operator: str | Mapping[str, Any] | Operator | None = None,
    sampler: str | Mapping[str, Any] | Restorer | None = None,
    prior: str | Mapping[str, Any] | Prior | None = None,
    mask: Any = None,
    init: Any = None,
    reference: Any = None,
    on_step: OnStep | None = None,
    progress: bool = False,
    **settings: Any,
) -> Result[Any, Any]:
    """Restore a photo.

    Args:
        photo: a path, the bytes of a file or an open one, a PIL image, an array [H, W] or
            [H, W, 3 or 4], or a tensor [3, H, W] or [B, 3, H, W] with values in [0, 1]; with
            task="hdr" a list of exposures.
        y: in place of a photo, what was measured: an array or a tensor of any shape and type, or
            a file of it (.npy, .npz, .mat, .pt), as `operator` makes it of x in [-1, 1]; sigma_y
            is in its units then.
        operator: a name, settings such as {"r": 2}, or an object.
        sampler: a name, settings, or an object.
        prior: a name, settings, or what `load_prior` gives.
        mask: what to repair, white or True there: a path, a PIL image, an array or a tensor.
        init: a picture to start from, of any kind that a photo may be.
        reference: the truth of a degraded photo, which result and photo are scored against.
        on_step: follows the network's calls, as (done, total, x0), where x0 [B, C, H, W] is of the
            result's size and clipped to [0, 1]; it may raise to stop.
        progress: show a bar: on stderr, or as a widget in a notebook that has ipywidgets.
        **settings: the command line's (run.py --help): task="sr4", sigma_y=0.02,
            **{"operator.r": 2}.

    Raises:
        ValueError, TypeError, OSError: something does not fit; in a line.
    """
    for name in settings:
        if name in FILES_ONLY:
            raise ValueError(
                f"{name}= is of the command line, which reads and writes files; "
                "here take restore(photo) and result.save(path)"
            )
    if prior is not None and not isinstance(prior, str | Mapping | Prior):
        raise TypeError(
            f"prior= is a {type(prior).__name__}; "
            "it takes a name, settings, or what gdp.load_prior gives"
        )

    # Names and mappings are settings, anything else is the part itself.
    parts = {"operator": operator, "sampler": sampler, "prior": prior}
    named = {name: part for name, part in parts.items() if isinstance(part, str | Mapping)}
    objects = {name: p for name, p in parts.items() if p is not None and name not in named}
    settings |= named

    # Pictures beside the photo.
    if mask is not None:
        settings["mask"] = Path(mask) if isinstance(mask, str | Path) else mask_of(mask)
    first = truth = None
    if init is not None:
        first = settings["init"] = picture_beside(photo, init, "init")
    if reference is not None:
        truth = settings["reference"] = picture_beside(photo, reference, "reference")

    settings = written_out(settings)
    setup = build_all(*compose_settings(settings), objects)
    with tempfile.TemporaryDirectory() as folder:
        source = source_from(photo, y, setup, Path(folder))
        check_pair(setup)
        loaded = setup.load_prior()
        setup.sampler.schedule.times(loaded.T)  # refuses what does not fit
        with torch.inference_mode(False), followed(on_step, progress) as follow:
            results = restore_all(source, first, truth, setup, loaded, follow)

    # The results as one, of the caller's kind.
    what = {"input": str((isinstance(photo, str | Path) and source.file) or source.name)}
    results = [replace(r, pixels=r.pixels.cpu(), reports=[what | r.report]) for r in results]
    return join(results, to_picture=source.picture, to_map=source.map)


def load_prior(
    name: str | Path | Mapping[str, Any] = "photo64", device: str = "auto", **settings: Any
) -> Prior:
    """Load a prior for restore(prior=...), for as many calls and threads as you like.

    Args:
        name: one of conf/prior/, a file of weights with a config.yaml beside it, or a mapping with
            a "name" and settings.
        device: auto, cpu, cuda ...
        **settings: those of conf/prior/NAME.yaml, such as dtype="float32".

    Raises:
        ValueError, OSError: it cannot be had; in a line.
    """
    if isinstance(name, Mapping):
        settings = {"name": "custom", **name, **settings}
        name = str(settings.pop("name"))
    file = Path(name)
    if isinstance(name, Path) or len(file.parts) > 1 or file.suffix:
        settings, name = {"path": file, **settings}, "custom"

    own = {f"prior.{key}": value for key, value in settings.items()}
    return build(*compose_settings({"prior": name, "device": device, **own})).bare_prior()


def restore_all(
    source: Source,
    init: Tensor | None,
    reference: Tensor | None,
    setup: Setup,
    prior: Prior,
    on_step: OnStep | None,
) -> list[Result[Tensor, Tensor]]:
    """Restore every photo of a source; those that may share the network's calls do."""
    for photo in source.photos:
        check_memory(photo, setup, prior.device)
    measurements = [
        observe_last(photo, setup, prior, source.name, source.file, init, reference)
        for photo in source.photos
    ]
    groups = group(measurements, setup)

    # The network's work on each group, for each batch of samples that memory bears.
    works = []
    for together in groups:
        first = together[0]
        passes = expected_passes(first, setup, prior)
        size = first.operator.x_shape(first.y)[-2:]
        check_outcome(size, setup, prior.T)
        check_time(passes, size, setup, prior)
        works.append(Work(passes * len(batches_of(together, setup)), prior))

    results = []
    for together, work in zip(groups, works, strict=True):

        def step(t: int, x: Tensor, x0: Tensor, first: Measurement = together[0]) -> None:
            if on_step is not None:
                counts = sum(one.done for one in works), sum(one.total for one in works)
                on_step(*counts, shown(x0, first))

        restored, cost = sample(together, setup, prior, step, on_pass=work.begin)
        work.end()
        results += [
            finish(measurement, samples, cost, setup, prior)
            for measurement, samples in zip(together, restored, strict=True)
        ]
    return results


def shown(x0: Tensor, measurement: Measurement) -> Tensor:
    """What `on_step` is given: the picture so far, at the result's size, in [0, 1]."""
    A, y = measurement.operator, measurement.y
    pixels, size = as_x(to_image(x0), A), A.x_shape(y)[-2:]
    if pixels.shape[-2:] != size:
        pixels = F.interpolate(pixels, size, mode="bilinear", align_corners=False)
    return pixels.clamp(0, 1)


def group(measurements: Sequence[Measurement], setup: Setup) -> list[list[Measurement]]:
    """Neighbours that may share calls, together, as many as memory bears."""
    groups: list[list[Measurement]] = []
    for one in measurements:
        size = setup.at_once(one.operator.x_shape(one.y)[-2:], one.y.device)
        full = not groups or (len(groups[-1]) + 1) * setup.config["samples"] > size
        if not full and one.likeness is not None and one.likeness == groups[-1][0].likeness:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups
