"""What our tasks do to every photo of a folder, good ones too: it should come to no harm.

moved       PSNR of the result against the photo, dB: 40 is hardly to be seen
gradients   energy of the result's gradients over the photo's: far above 1, patterns were drawn
change      PSNR against the truth, minus the photo's, where NAME_in has a NAME_gt beside it
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.reality.keep import Kept
from benchmarks.reality.ours import exists, restore
from benchmarks.reality.pairs import Crops, Pair
from benchmarks.reality.scores import SCORES, movement, scores
from gdp.picture import find_photos, read
from gdp.prior.prior import Prior

HARM_TASKS = ("auto", "denoise:sigma_y=auto", "sharpen", "enhance")
NO_PHOTOS = ("_gt", "_kernel", "_lr2", "mask")  # what file names of other pictures end in


def harm(
    folder: Path,
    tasks: Sequence[str],
    prior: Prior,
    overrides: list[str],
    crops: Crops,
    kept: Kept,
) -> Iterator[dict]:
    """Yield a row for each photo in a folder and below it, and each task that exists."""
    files = [f for f in find_photos(folder, recursive=True) if not f.stem.endswith(NO_PHOTOS)]
    for file in files:
        name = file.relative_to(folder).as_posix() if folder.is_dir() else file.name
        for task in filter(exists, tasks):
            make = partial(harm_of, file, name, task, prior, overrides, crops)
            yield kept.get(("harm", name, task), make)


def harm_of(
    file: Path, name: str, task: str, prior: Prior, overrides: list[str], crops: Crops
) -> dict:
    """One photo by one task."""
    row: dict[str, Any] = {"table": "harm", "photo": name, "method": task}
    shown = crops.file(file)
    photo = read(shown).pixels

    # With its truth, where that is of its size
    beside = file.with_name(f"{file.stem.removesuffix('_in')}_gt.png")
    truth = None
    if file.stem.endswith("_in") and beside.is_file():
        truth = crops.centre(read(beside).pixels)

    try:
        pair = Pair("harm", name, "", photo, photo, shown)
        restored = restore(task, pair, prior, overrides)
        if restored is None:
            return row
        row |= movement(restored.pixels, photo)
        if truth is not None:
            before, after = scores(photo, truth), scores(restored.pixels, truth)
            row |= {f"change_{key}": after[key] - before[key] for key in SCORES}
    except (ValueError, TypeError, OSError) as error:
        return row | {"error": str(error)}
    return row | {"sigma_y": restored.sigma_y}
