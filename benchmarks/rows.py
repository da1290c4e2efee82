"""How the rows of benchmarks/quality.py are made, and kept from one run to the next."""

import argparse
import sys
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from benchmarks.released.foreign import FOREIGN
from benchmarks.scoring import Case, baselines, case, same_sized, score
from gdp.compose.configuration import build, compose
from gdp.prior.prior import Prior
from gdp.restore.setup import Setup
from gdp.train import files as training_files

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
