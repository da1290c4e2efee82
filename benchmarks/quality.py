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
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import save, table
from benchmarks.pages.pareto import plot
from benchmarks.released.foreign import FOREIGN
from benchmarks.scoring import Case, baselines, case, same_sized, score, squares
from gdp.compose.configuration import build, compose
from gdp.prior.prior import Prior
from gdp.restore.setup import Setup
from gdp.train import files as training_files

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


def keep(rows: list[dict], folder: Path) -> None:
    """Save results.json, results.md and pareto.png."""
    save(rows, folder / "results.json")
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


OWN = "own"  # in place of a number: as many steps as the sampler takes by itself


class TooFewCallsError(ValueError):
    """A sampler cannot work with so few network calls; the table has no such row."""


class Measure:
    """Makes rows; the prior is loaded once, and a task's photos are degraded once.

    Args:
        args: the command line.
        photos: clean photos [1, 3, H, W] in [0, 1].
    """

    def __init__(self, args: argparse.Namespace, photos: list[Tensor]):
        self.args, self.photos = args, photos
        self.prior: Prior | None = None
        self.task = ""
        self.cases: list[Case] = []

    def rows(self, task: str, sampler: str, budget: str | None) -> list[dict]:
        """Score one sampler, or the baselines, on a task."""
        try:
            rows = self.scores(task, sampler, budget)
        except (TypeError, TooFewCallsError) as error:  # or it lacks something of the operator
            print(f"{task}: {error}", file=sys.stderr)
            rows = []
        return [{"task": task, **row} for row in rows]

    def scores(self, task: str, sampler: str, budget: str | None) -> list[dict]:
        """Score one sampler, or the baselines.

        Raises:
            TypeError: the sampler lacks something of the operator.
            TooFewCallsError: it needs more of them.
        """
        # The task, in one pass unless it says otherwise
        name, *settings = task.split(":")
        words = [*settings, *self.args.override]
        one_pass = [] if any(word.startswith("lowres") for word in words) else ["lowres=none"]
        overrides = [f"task={name}", f"prior={self.args.prior}", *one_pass, *words]
        setup = build_setup(overrides, sampler)

        # Its photos
        prior = self.prior = self.prior or setup.load_prior()
        if self.task != task:
            batches = same_sized(self.photos)
            self.cases = [case(setup, batch, seeds, prior) for batch, seeds in batches]
            self.task = task
        if budget is None:
            return list(baselines(self.cases))

        # The sampler at this budget
        calls = self.args.nfe is not None
        own = budget == OWN
        budgeted = setup.sampler if own else with_steps(setup, prior, int(budget), calls)
        cases = [c._replace(setup=c.setup._replace(sampler=budgeted)) for c in self.cases]
        scores = score(cases, prior, self.args.samples)
        return [{"sampler": sampler, "steps": budgeted.schedule.steps, **scores}]


def build_setup(overrides: list[str], sampler: str) -> Setup:
    """Build a task with a sampler of ours or of FOREIGN."""
    if sampler not in FOREIGN and sampler != "baselines":
        return build(compose(*overrides, f"sampler={sampler}"))

    setup = build(compose(*(word for word in overrides if not word.startswith("sampler."))))
    if sampler == "baselines":
        return setup
    foreign = FOREIGN[sampler]()
    foreign.check(setup.operator)
    return setup._replace(sampler=cast(Any, foreign))


def with_steps(setup: Setup, prior: Prior, budget: int, calls: bool) -> Any:
    """Give the sampler a number of steps.

    Args:
        setup: with the sampler.
        prior: it tells how many steps there can be.
        budget: number of steps, or of network calls.
        calls: whether it counts network calls: then there are as many steps as make at most so
            many calls, without time travel if that takes too many.

    Raises:
        TooFewCallsError: the sampler needs more.
    """
    if not calls:
        return replace(setup.sampler, schedule=replace(setup.sampler.schedule, steps=budget))

    for schedule in (setup.sampler.schedule, replace(setup.sampler.schedule, travel=1, repeat=1)):
        alone = schedule.repeat == 1  # no step goes back in time
        for steps in range(min(budget, prior.T), 0, -1):
            sampler = replace(setup.sampler, schedule=replace(schedule, steps=steps))
            if sampler.nfe(prior.T) <= budget and (steps > schedule.travel or alone):
                return sampler
    raise TooFewCallsError(
        f"{type(setup.sampler).__name__} cannot work with {budget} network calls; give more"
    )


class Archive:
    """The rows in FOLDER/rows.jsonl, with what they were made of.

    Args:
        args: the command line; without --out nothing is kept.
    """

    def __init__(self, args: argparse.Namespace):
        self.file = args.out / "rows.jsonl" if args.out else None
        names = ("images", "samples", "skip", "limit", "size", "prior", "override")
        self.origin = {k: str(getattr(args, k)) for k in names}
        self.origin["budget"] = "nfe" if args.nfe else "steps"
        self.groups: list[dict] = []
        if not self.file:
            return

        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.groups = training_files.rows(self.file)
        if self.file.is_file() and not self.file.read_text().endswith("\n"):
            training_files.rewrite(self.file, self.groups)  # a kill cut the last line short

    def key(self, task: str, sampler: str, budget: str | None) -> dict[str, str]:
        """Tell one group of rows from another."""
        return {**self.origin, "task": task, "sampler": sampler, "of": str(budget)}

    def find(self, task: str, sampler: str, budget: str | None) -> list[dict] | None:
        """Find the rows of a run before, or None."""
        key = self.key(task, sampler, budget)
        return next((group["rows"] for group in reversed(self.groups) if group["key"] == key), None)

    def add(self, task: str, sampler: str, budget: str | None, rows: list[dict]) -> None:
        """Keep rows."""
        if self.file:
            training_files.append(self.file, {"key": self.key(task, sampler, budget), "rows": rows})


if __name__ == "__main__":
    with torch.no_grad():
        main()
