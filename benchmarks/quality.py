"""Restoration quality: tasks x samplers x network calls on a folder of clean photos.

    python benchmarks/quality.py --images DIR --tasks sr4,denoise:sigma_y=0.2 \\
        --samplers ddnm,gdp_x0 --nfe 20,100 --out FOLDER

The program itself degrades the photos. A task may carry settings of run.py after colons; all work
in one pass unless lowres=... is among them. --nfe chooses each sampler's steps so that it makes at
most so many network calls; --steps gives them. A^+ y (pinv), y itself (input), its bicubic
enlargement (bicubic) and classical methods (benchmarks/classical.py) are rows of their own. What
the columns mean: benchmarks/scoring.py.

With --out, FOLDER/rows.jsonl is written row by row and rows that are there are not made again, so
a run that was cut off goes on; at its end FOLDER holds results.json, results.md and pareto.png too
(which needs matplotlib).
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import save, table
from benchmarks.pages.pareto import plot
from benchmarks.rows import Archive, Measure
from benchmarks.scoring import squares

COLUMNS = (
    "task sampler steps nfe images samples "
    "psnr psnr_of_mean ssim haarpsi null_energy consistency seconds_per_image"
).split()


def main() -> None:
    """Parse, run, print, save."""
    parser = arguments()
    args = parser.parse_args()
    try:
        rows = list(run(args))
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")

    print(table(rows, COLUMNS))
    save(rows, args.json)
    if args.out:
        keep(rows, args.out)


def keep(rows: list[dict], folder: Path, command: str | None = None) -> None:
    """Save results.json, results.md and pareto.png."""
    save(rows, folder / "results.json", command)
    (folder / "results.md").write_text(table(rows, COLUMNS) + "\n")
    plot(rows, folder / "pareto.png")


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument

    # What is compared
    add("--images", required=True, help="folder of clean photos")
    tasks = "sr4,inpaint_random,denoise,deblur,colorize"
    add("--tasks", default=tasks, help="task or task:key=value:key=value")
    samplers = (
        "names, with numbers of their own after @: auto@own@20,ddnm@20@100 (own: its default)"
    )
    add("--samplers", default="auto", help=samplers)

    # At what cost
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--steps", default="50", help="numbers of steps, separated by commas (50)")
    budget.add_argument("--nfe", help="network calls, separated by commas")
    samples = "posterior samples of each photo; their mean is scored too"
    add("--samples", type=int, default=1, help=samples)

    # On what
    add("--skip", type=int, default=0, help="pass over the first N photos by name")
    add("--limit", type=int, help="the first N of the others")
    add("--size", type=int, help="centre crops of this size")
    add("--prior", default="photo64")
    add("--override", nargs="*", default=[], metavar="KEY=VALUE", help="any setting of run.py")

    # Where it goes
    add("--json", metavar="FILE")
    out = "keep every row as it comes, and go on from those kept"
    add("--out", type=Path, metavar="FOLDER", help=out)
    only = "tables and plot of the rows in --out, none made"
    add("--only-kept", action="store_true", help=only)
    return parser


def chosen(images: str | Path, **settings: Any) -> argparse.Namespace:
    """What the command line would say of a folder of photos, for other benchmarks.

    Args:
        images: the folder.
        **settings: options by their names; what is left out is as by default.
    """
    args = arguments().parse_args(["--images", str(images)])
    vars(args).update(settings)
    return args


def run(args: argparse.Namespace) -> Iterator[dict]:
    """Yield the rows one by one, and show them on stderr as they come."""
    photos = squares(args.images, args.limit, args.size, args.skip)
    archive, measure = Archive(args), Measure(args, photos)

    for task in args.tasks.split(","):
        for sampler, budget in budgets(args):
            rows = archive.find(task, sampler, budget)
            if rows is None and not args.only_kept:
                rows = measure.rows(task, sampler, budget)
                archive.add(task, sampler, budget, rows)
                for line in table(rows, COLUMNS).splitlines()[2:]:
                    print(line, file=sys.stderr, flush=True)
            yield from rows or []


def budgets(args: argparse.Namespace) -> Iterator[tuple[str, str | None]]:
    """Yield the baselines, and every sampler with each of its numbers of steps or calls."""
    for words in ("baselines", *args.samplers.split(",")):
        sampler, *own = words.split("@")
        if sampler == "baselines":
            yield sampler, None
        else:
            for budget in own or (args.nfe or args.steps).split(","):
                yield sampler, budget


if __name__ == "__main__":
    with torch.no_grad():
        main()
