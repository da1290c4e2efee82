"""A result on disk: NAME.png, NAME.compare.png, NAME.json, and what tasks and samples add."""

import os
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from gdp.picture import compare, suffix_for, write, write_floats
from gdp.picture.measurement import is_measurement
from gdp.picture.panels import bands, write_array
from gdp.restore.facts import write_json
from gdp.restore.result import Result
from gdp.restore.setup import Setup
from gdp.restore.several.chain import stage_names

DEFAULT = ("compare", "samples")  # what is saved beside a result
FOLDERS = ("y", "reference", "restored")  # what is saved into a folder of that name
ARRAY = ".restored.npy"  # float32 [C, H, W] in [0, 1], not clipped


def save(
    result: Result[Any, Any],
    target: Path,
    source: Path,
    folder: Path | None = None,
    extra: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the files of a photo's result, each whole or not at all, as TARGET.SUFFIX.

    Args:
        result: the result, of one photo, its pictures as tensors.
        target: where the files are to be, without their suffixes.
        source: the photo's file.
        folder: write the files there, for somebody else to move them to where they are to be.
        extra: what NAME.json is to hold besides.

    Returns:
        The files as they are to be, the main ones last.
    """
    config, report = result.report["config"], result.report
    main = result_file(target, source, config)
    here = folder or target.parent
    here.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []

    def file(suffix: str) -> Path:
        files.append(target.with_name(f"{target.name}{suffix}"))
        return here / files[-1].name

    # Of several samples the others, their mean, and where they differ: the largest std is white.
    chosen = beside(config)
    if result.pixels.shape[1] > 1 and "samples" in chosen:
        std = result.std / report["samples"]["std_at_white"]
        pictures = [*result.samples[1:], result.mean, std]
        for name, pixels in zip(sample_names(len(result.samples)), pictures, strict=True):
            write(bands(pixels), file(f".{name}.png"))

    # The result itself, beside what it was made from.
    quality, depth, exif = (config[name] for name in ("image_quality", "depth", "keep_exif"))
    write(bands(result.image), file(main.suffix), result.photos[0], quality, depth, exif)
    before = ("input", result.y) if result.plain is None else ("least squares", result.plain)
    panels = [(before[0], bands(before[1], config["scene"])), ("restored", bands(result.image))]
    if result.reference is not None:
        panels.append(("reference", bands(result.reference)))
    boxes = compare(panels, file(".compare.png")) if "compare" in chosen else {}
    folders = save_in_folders(result, target.name, here, chosen)

    # Of a measurement all channels, as numbers
    if is_measurement(source):
        write_array(result.pixels[0, 0].numpy(force=True), file(ARRAY))

    # What was found of the degradation, and the light of a scene.
    for name, pixels in result.found.items():
        write(pixels, file(f".{name}.png"))
    if result.light is not None:
        write_floats(result.light, file(".tiff"))

    json_file = file(".json")
    content: dict[str, Any] = {
        "input": os.fsencode(source).decode(errors="replace"),
        "output": str(main),
        "files": [path.name[len(target.name) :] for path in files],
        "pictures": {name: f"{target.name}.{name}.png" for name in result.found},
        "panels": boxes,
        "folders": folders,
    }
    write_json({**content, **report, **(extra or {})}, json_file)
    return files


def beside(config: Mapping[str, Any]) -> set[str]:
    """What is saved beside a result, by the words of save=."""
    chosen = set(DEFAULT if config["save"] is None else config["save"])
    return chosen if config["compare"] else chosen - {"compare"}


def save_in_folders(
    result: Result[Any, Any], name: str, here: Path, chosen: Container[str]
) -> list[str]:
    """Write FOLDER/NAME.png for y, the truth and the result, as chosen; of a y that is no picture
    FOLDER/NAME.npy.

    Returns:
        The folders.
    """
    pictures = dict(zip(FOLDERS, (result.y, result.reference, result.image), strict=True))
    made = []
    for folder, pixels in pictures.items():
        if folder not in chosen or pixels is None:
            continue
        made.append(folder)
        (here / folder).mkdir(exist_ok=True)
        if pixels.ndim == 4 and not pixels.is_complex():
            write(bands(pixels), here / folder / f"{name}.png", depth=8)
        else:
            write_array(pixels.numpy(force=True), here / folder / f"{name}.npy")
    return made


def result_file(target: Path, source: Path, config: Mapping[str, Any]) -> Path:
    """Where the result of the photo `source` is; `target` lacks the suffix."""
    return target.with_name(target.name + suffix_for(source, config["format"], config["scene"]))


def sample_names(count: int) -> list[str]:
    """What the pictures beside the first of `count` samples are called."""
    return [*(f"sample{k}" for k in range(2, count + 1)), "mean", "std"] if count > 1 else []


def suffixes(setup: Setup, source: Path) -> list[str]:
    """The suffixes of all files that the restoration of the photo `source` will have."""
    config = setup.config
    chosen = beside(config)
    of_samples = sample_names(config["samples"]) if "samples" in chosen else []
    names = [*setup.operator.pictured, *stage_names(setup), *of_samples]
    light = [".tiff"] if config["scene"] else []
    main = suffix_for(source, config["format"], config["scene"])
    numbers = [ARRAY] if is_measurement(source) else []
    panels = [".compare.png"] if "compare" in chosen else []
    return [main, *panels, ".json", *(f".{name}.png" for name in names), *light, *numbers]
