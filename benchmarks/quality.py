"""Restoration quality: tasks x samplers x network calls on a folder of clean photos, degraded by the program itself.

    python benchmarks/quality.py --images DIR --tasks sr4,denoise:sigma_y=0.2 --samplers ddnm,gdp_x0 --nfe 20,100 --out FOLDER

A task may carry settings of run.py after colons; all work in one pass unless lowres=... is among them. --nfe chooses each sampler's steps
so that it makes at most so many network calls; --steps gives them. A^+ y (pinv), y itself (input) and its bicubic enlargement (bicubic)
are rows of their own. What the columns mean: benchmarks/scoring.py. With --out, FOLDER/rows.jsonl is written row by row and rows that are
there are not made again, so a run that was cut off goes on; at its end FOLDER holds results.json, results.md and pareto.png too (which
needs matplotlib).
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import save, table
from benchmarks.pages.pareto import plot
from benchmarks.released.foreign import FOREIGN
from benchmarks.scoring import baselines, case, crop_square, same_sized, score
from gdp.compose.configuration import build, compose
from gdp.picture import find_photos, read
from gdp.prior.prior import Prior
from gdp.restore.setup import Setup
from gdp.train import files as training_files

COLUMNS = (
    "task sampler steps nfe images samples psnr psnr_of_mean ssim haarpsi null_energy consistency seconds_per_image"
).split()


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True, help="folder of clean photos")
    parser.add_argument(
        "--tasks",
        default="sr4,inpaint_random,denoise,deblur,colorize",
        help="task or task:key=value:key=value",
    )
    parser.add_argument(
        "--samplers",
        default="auto",
        help="names, with numbers of their own after @: auto@20,ddnm@20@100",
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--steps", default="50", help="numbers of steps, separated by commas (50)")
    budget.add_argument("--nfe", help="network calls, separated by commas")
    parser.add_argument(
        "--samples",
        type=int,
        default=1,
        help="posterior samples of each photo; their mean is scored too",
    )
    parser.add_argument("--limit", type=int, help="the first N photos by name")
    parser.add_argument("--size", type=int, help="centre crops of this size")
    parser.add_argument("--prior", default="photo64")
    parser.add_argument(
        "--override", nargs="*", default=[], metavar="KEY=VALUE", help="any setting of run.py"
    )
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="keep every row as it comes, and go on from those kept",
    )
    parser.add_argument(
        "--only-kept", action="store_true", help="tables and plot of the rows in --out, none made"
    )
    args = parser.parse_args()
    try:
        rows = list(run(args))
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(table(rows, COLUMNS))
    save(rows, args.json)
    if args.out:
        save(rows, args.out / "results.json")
        (args.out / "results.md").write_text(table(rows, COLUMNS) + "\n")
        plot(rows, args.out / "pareto.png")


def run(args: argparse.Namespace) -> Iterator[dict]:
    """The rows, one by one, told on stderr as they come."""
    photos = [
        crop_square(read(f).pixels, args.size) for f in find_photos(args.images)[: args.limit]
    ]
    kept = Kept(args)
    prior: Prior | None = None
    for task in args.tasks.split(","):
        cases: list = []
        for words in ("baselines", *args.samplers.split(",")):
            sampler, *own = words.split("@")
            for budget in (
                [None] if sampler == "baselines" else own or (args.nfe or args.steps).split(",")
            ):
                if (found := kept.find(task, sampler, budget)) is not None:
                    yield from found
                    continue
                if args.only_kept:
                    continue
                own_words = [*task.split(":")[1:], *args.override]
                one_pass = (
                    [] if any(word.startswith("lowres") for word in own_words) else ["lowres=none"]
                )
                overrides = [
                    f"task={task.split(':')[0]}",
                    f"prior={args.prior}",
                    *one_pass,
                    *own_words,
                ]
                try:
                    setup = build_setup(overrides, sampler)
                    prior = prior or setup.load_prior()
                    cases = cases or [
                        case(setup, batch, seeds, prior) for batch, seeds in same_sized(photos)
                    ]
                    if budget is None:
                        rows = list(baselines(cases))
                    else:
                        fitted = with_steps(setup, prior, int(budget), args.nfe is not None)
                        setup_cases = [
                            c._replace(setup=c.setup._replace(sampler=fitted)) for c in cases
                        ]
                        rows = [
                            {
                                "sampler": sampler,
                                "steps": fitted.schedule.steps,
                                **score(setup_cases, prior, args.samples),
                            }
                        ]
                except TypeError as error:  # the sampler lacks something of the operator
                    print(f"{task}: {error}", file=sys.stderr)
                    rows = []
                rows = [{"task": task, **row} for row in rows]
                kept.add(task, sampler, budget, rows)
                for line in table(rows, COLUMNS).splitlines()[2:]:
                    print(line, file=sys.stderr, flush=True)
                yield from rows


def build_setup(overrides: list[str], sampler: str) -> Setup:
    """The task with a sampler of ours or of FOREIGN."""
    if sampler not in FOREIGN and sampler != "baselines":
        return build(compose(*overrides, f"sampler={sampler}"))
    setup = build(compose(*(word for word in overrides if not word.startswith("sampler."))))
    if sampler == "baselines":
        return setup
    foreign = FOREIGN[sampler]()
    foreign.check(setup.operator)
    return setup._replace(sampler=cast(Any, foreign))


def with_steps(setup: Setup, prior: Prior, budget: int, calls: bool) -> Any:
    """The sampler with `budget` steps, or with as many as make at most `budget` network calls; without time travel if that is too long."""
    if not calls:
        return replace(setup.sampler, schedule=replace(setup.sampler.schedule, steps=budget))
    for schedule in (setup.sampler.schedule, replace(setup.sampler.schedule, travel=1, repeat=1)):
        for steps in range(min(budget, prior.T), 0, -1):
            sampler = replace(setup.sampler, schedule=replace(schedule, steps=steps))
            if sampler.nfe(prior.T) <= budget and steps > schedule.travel:
                return sampler
    raise ValueError(
        f"{type(setup.sampler).__name__} cannot work with {budget} network calls; give more"
    )


class Kept:
    """The rows in FOLDER/rows.jsonl, with what they were made of."""

    def __init__(self, args: argparse.Namespace):
        self.file = args.out / "rows.jsonl" if args.out else None
        self.made_of = {
            k: str(getattr(args, k))
            for k in ("images", "samples", "limit", "size", "prior", "override")
        }
        self.made_of["budget"] = "nfe" if args.nfe else "steps"
        self.groups: list[dict] = []
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.groups = training_files.rows(self.file)
            if self.file.is_file() and not self.file.read_text().endswith(
                "\n"
            ):  # a kill cut the last line short
                training_files.rewrite(self.file, self.groups)

    def key(self, task: str, sampler: str, budget: str | None) -> dict[str, str]:
        """What tells one group of rows from another."""
        return {**self.made_of, "task": task, "sampler": sampler, "of": str(budget)}

    def find(self, task: str, sampler: str, budget: str | None) -> list[dict] | None:
        """The rows made before, or None."""
        key = self.key(task, sampler, budget)
        return next((group["rows"] for group in reversed(self.groups) if group["key"] == key), None)

    def add(self, task: str, sampler: str, budget: str | None, rows: list[dict]) -> None:
        """Keep rows."""
        if self.file:
            training_files.append(self.file, {"key": self.key(task, sampler, budget), "rows": rows})


if __name__ == "__main__":
    with torch.no_grad():
        main()
