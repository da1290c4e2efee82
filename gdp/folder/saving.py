"""A Result on disk: NAME.png, NAME.compare.png, NAME.json, and what some tasks and several samples add."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gdp.picture import image
from gdp.restore import facts as report
from gdp.restore.job import Result

if TYPE_CHECKING:
    from gdp.restore.setup import Setup


def save(
    result: Result,
    target: Path,
    source: Path,
    folder: Path | None = None,
    known: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the files of a result, each whole or not at all, as TARGET.SUFFIX; they are listed, the main ones last.

    `source` is the photo's file, `known` what it tells besides. With `folder` the files are written there, for
    somebody else to move them to where they are said to be.
    """
    written: list[Path] = []
    config = result.facts["config"]
    shown = picture(target, source, config)

    def at(suffix: str) -> Path:
        written.append(target.with_name(f"{target.name}{suffix}"))
        return (folder or target.parent) / written[-1].name

    (folder or target.parent).mkdir(parents=True, exist_ok=True)
    for name, pixels in sample_pictures(result).items():
        image.write(pixels, at(f".{name}.png"))
    image.write(
        result.image,
        at(shown.suffix),
        result.photo,
        config["image_quality"],
        config["depth"],
        config["keep_exif"],
    )
    panels = [("input", result.y), ("restored", result.image)]
    if result.reference is not None:
        panels.append(("reference", result.reference))
    boxes = image.compare(panels, at(".compare.png"))
    for name, pixels in result.pictures.items():
        image.write(pixels, at(f".{name}.png"))
    if result.light is not None:
        image.write_floats(result.light, at(".tiff"))
    told = at(".json")
    main: dict[str, Any] = {
        "input": os.fsencode(source).decode(errors="replace"),
        "output": str(shown),
    }
    main["files"] = [file.name[len(target.name) :] for file in written]
    main |= {
        "pictures": {name: f"{target.name}.{name}.png" for name in result.pictures},
        "panels": boxes,
    }
    report.write_json({**main, **result.facts, **(known or {})}, told)
    return written


def picture(target: Path, source: Path, config: Mapping[str, Any]) -> Path:
    """Where the result of the photo `source` is."""
    return target.with_name(
        target.name + image.suffix_for(source, config["format"], config["scene"])
    )


def sample_pictures(result: Result) -> dict[str, Tensor]:
    """What is saved of several samples beside the first: the others, their mean, and where they differ, the largest std white."""
    if len(result.pixels) == 1:
        return {}
    pictures = [
        *result.pixels[1:].split(1),
        result.mean,
        result.std / result.facts["samples"]["std_at_white"],
    ]
    return dict(zip(sample_names(len(result.pixels)), pictures, strict=True))


def sample_names(count: int) -> list[str]:
    """What the pictures beside the first of `count` samples are called."""
    return [*(f"sample{k}" for k in range(2, count + 1)), "mean", "std"] if count > 1 else []


def suffixes(setup: "Setup", source: Path) -> list[str]:
    """Of the files that the restoration of the photo `source` is."""
    names = [
        image.suffix_for(source, setup.config["format"], setup.config["scene"]),
        ".compare.png",
        ".json",
        *(f".{name}.png" for name in setup.operator.pictured),
    ]
    if setup.config["scene"]:
        names.append(".tiff")
    return [*names, *(f".{name}.png" for name in sample_names(setup.config["samples"]))]
