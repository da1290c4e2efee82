"""What `detail=` does, from the least error to the most detail: a table, and a picture.

    python benchmarks/pages/detail.py [--images FOLDER] [--limit 6] [--size 128]
    python benchmarks/pages/detail.py --picture docs/detail.jpg

`fine` is the std of what is lost over the truth's: of x - A^+ A x for enlarging, of what a
mean of 3 x 3 takes away for others. The picture is of two photos of scikit-image.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import mean

import torch
import torch.nn.functional as F
from piq import haarpsi
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

import gdp
from benchmarks.common import table
from benchmarks.field import pictures
from benchmarks.pages.real_pictures import SIDE, sheet
from benchmarks.scoring import squares
from gdp.picture import read
from gdp.prior.prior import Prior
from gdp.restore.scores.metrics import psnr

TASKS = "denoise:sigma_y=0.1,denoise:sigma_y=0.2,sr4,deblur,inpaint_random"
DETAIL = (0.0, 0.25, 0.5, 0.75, 1.0)
COLUMNS = "task detail psnr haarpsi fine".split()

# The picture: photos with the left and top of a square, and tasks
SHOWN = (("astronaut", 50, 10, "denoise:sigma_y=0.2"), ("coffee", 70, 20, "sr4"))
LEVELS = (0.0, 0.5, 1.0)


def main() -> None:
    """Print the table, or write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--images", type=Path, help="clean photos (scikit-image's)")
    add("--skip", type=int, default=0, help="photos left out at the beginning")
    add("--limit", type=int, default=6, help="so many photos after them (%(default)s)")
    add("--size", type=int, default=128, help="side of their centre crops (%(default)s)")
    add("--tasks", default=TASKS, help="with a setting after a colon (%(default)s)")
    add("--picture", type=Path, metavar="FILE", help="the picture to write, and no table")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as work:
        if args.picture is not None:
            draw(pictures(Path(work)), args.picture)
            return
        images = args.images or pictures(Path(work))
        photos = squares(images, args.limit, args.size, args.skip)
        print(table(measure(photos, args.tasks.split(",")), COLUMNS))


def measure(photos: list[Tensor], tasks: list[str]) -> list[dict]:
    """Rows of the table: means over photos [1, 3, H, W] in [0, 1]."""
    prior, found = gdp.load_prior(), defaultdict(list)
    for truth in photos:
        for task in tasks:
            for detail in DETAIL:
                x = restored(task, truth, detail, prior)
                scores = (psnr(x, truth), haarpsi(x, truth), fine(task, x) / fine(task, truth))
                found[task, detail].append(tuple(float(score) for score in scores))

    rows = []
    for (task, detail), of_photos in found.items():
        means = map(mean, zip(*of_photos, strict=True))
        names = zip(COLUMNS[2:], means, strict=True)
        rows.append({"task": task.replace(":sigma_y=", " "), "detail": detail, **dict(names)})
    return rows


def restored(task: str, truth: Tensor, detail: float, prior: Prior) -> Tensor:
    """What a task makes of a clean photo [1, 3, H, W] that it has degraded."""
    name, _, setting = task.partition(":")
    given = {"sigma_y": float(setting.partition("=")[2])} if setting else {}
    result = gdp.restore(truth, task=name, degrade=True, detail=detail, prior=prior, **given)
    return result.pixels[0].clamp(0, 1)


def fine(task: str, x: Tensor) -> Tensor:
    """The std of what a task has to find."""
    if task == "sr4":
        known = F.interpolate(F.avg_pool2d(x, 4), scale_factor=4, mode="nearest")
    else:
        known = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1)
    return (x - known).std()


def draw(folder: Path, file: Path) -> None:
    """A line for each photo: the levels, the truth."""
    prior, lines = gdp.load_prior(), []
    for name, left, top, task in SHOWN:
        truth = read(folder / f"{name}.png").pixels[..., top : top + SIDE, left : left + SIDE]
        line = []
        for detail in LEVELS:
            x = restored(task, truth, detail, prior)
            line.append(
                (f"{task.partition(':')[0]}, detail={detail:g}: {float(psnr(x, truth)):.1f}", x)
            )
        lines.append([*line, ("truth", truth)])
    sheet(lines).save(file, quality=92)


if __name__ == "__main__":
    with torch.no_grad():
        main()
