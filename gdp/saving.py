"""A Result on disk: NAME.png, NAME.compare.png, NAME.json, and what some tasks and several samples add."""

from pathlib import Path
from typing import TYPE_CHECKING

from gdp import image, report
from gdp.job import Result

if TYPE_CHECKING:
    from gdp.compose import Setup


def save(result: Result, target: Path, source: str) -> list[Path]:
    """Write the files of a result, each whole or not at all, to TARGET.SUFFIX; they are listed, the main ones last.

    `source` is what the report names as the input.
    """

    def at(suffix: str) -> Path:
        return target.with_name(f"{target.name}{suffix}")

    target.parent.mkdir(parents=True, exist_ok=True)
    written = save_samples(result, target)
    image.write(result.image, at(".png"))
    for name, picture in result.pictures.items():
        image.write(picture, at(f".{name}.png"))
    if result.light is not None:
        image.write_floats(result.light, at(".tiff"))
    panels = [("input", result.y), ("restored", result.image)]
    if result.reference is not None:
        panels.append(("reference", result.reference))
    boxes = image.compare(panels, at(".compare.png"))
    found = {name: at(f".{name}.png").name for name in result.pictures}
    names = {"input": source, "output": str(at(".png")), "pictures": found, "panels": boxes}
    report.write_json({**names, **result.facts}, at(".json"))
    main = [".png", ".compare.png", ".json", *(f".{name}.png" for name in result.pictures)]
    return [*written, *(at(suffix) for suffix in main), *([at(".tiff")] if result.light is not None else [])]


def save_samples(result: Result, target: Path) -> list[Path]:
    """TARGET.sample2.png ..., TARGET.mean.png and TARGET.std.png, the largest std white, of several samples."""
    if len(result.pixels) == 1:
        return []
    pictures = [*result.pixels[1:].split(1), result.mean, result.std / result.facts["samples"]["std_at_white"]]
    files = [target.with_name(f"{target.name}.{name}.png") for name in sample_names(len(result.pixels))]
    for file, picture in zip(files, pictures, strict=True):
        image.write(picture, file)
    return files


def sample_names(count: int) -> list[str]:
    """What the pictures beside the first of `count` samples are called."""
    return [*(f"sample{k}" for k in range(2, count + 1)), "mean", "std"] if count > 1 else []


def suffixes(setup: "Setup") -> list[str]:
    """Of the files that a photo's restoration is."""
    names = [".png", ".compare.png", ".json", *(f".{name}.png" for name in setup.operator.pictured)]
    if setup.config["scene"]:
        names.append(".tiff")
    return [*names, *(f".{name}.png" for name in sample_names(setup.config["samples"]))]
