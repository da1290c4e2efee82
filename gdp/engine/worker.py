"""What one worker does: photos that share network calls, from where they lie to where they go.

It is the local runner's own code (gdp.folder), in a folder of the worker's; results are the same,
and leave it photo by photo.
"""

import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from gdp.engine.bench import Bench, Quiet
from gdp.engine.entries import Entry, size_at_rest, stage
from gdp.engine.in_store import output_of
from gdp.engine.job import Job, Made, Setups
from gdp.folder.folder import Folder
from gdp.folder.items import DONE, FAILED, FINISHED, Item, read_fitting
from gdp.remote.urls import is_url
from gdp.restore.facts import write_json
from gdp.storage.manifest import stamp
from gdp.storage.places import expand

log = logging.getLogger("gdp")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out of a photo before the run is planned.

    Attributes:
        name: of its results.
        size: height and width; None where they do not count, or are not told.
        stamp: sizes and times of its files.
        key: equal for photos with the same settings.
        where: its result, if an earlier run has finished it.
        error: why it, and so the run, is refused.
    """

    name: str
    size: tuple[int, int] | None
    stamp: list[list[int]]
    key: str
    where: str | None = None
    error: str = ""


class Worker:
    """A process that restores photos.

    Args:
        job: the run.
        began: when it began, in nanoseconds since 1970; what was made since is its own.
    """

    def __init__(self, job: Job, began: int | None = None):
        os.chdir(job.here if os.path.isdir(job.here) else ".")
        self.job, self.began = job, began
        self.setups = Setups(job)
        self.output = output_of(job.output, bool(job.config["overwrite"]))

    def look(self, entry: Entry, empty: bool = False) -> Seen:
        """Find out what planning needs of a photo.

        Args:
            entry: the photo.
            empty: whether there is nothing in the output that could be in the way.
        """
        try:
            made = self.setups.of(entry.settings)
            setup, item = made.setup, self.item(entry, Path(entry.title), made)
            facts = [[entry.bytes, entry.modified]] if entry.far else stamp(item.sources)
            done = None
            if not empty:
                known = (entry, item, setup, made.settings, self.began)
                done = self.output.finished(*known)
            size = size_at_rest(entry) if setup.shareable and done is None else None
        except Exception as error:
            return Seen(entry.name, None, [], "", error=self.job.describe(error))
        return Seen(entry.name, size, facts, made.key, done)

    def restore(self, batch: Sequence[Entry]) -> list[dict[str, Any]]:
        """Restore photos that were planned together, and put their results where they belong.

        Returns:
            Of each photo: name, state, seconds, where, error, calls.
        """
        outcomes: dict[str, dict[str, Any]] = {}
        bench = self.output.workbench()
        try:
            made = self.setups.of(batch[0].settings)
            items = self.staged(batch, made, bench, outcomes)
            if any(item.name not in outcomes for item in items):
                self.run(items, {entry.name: entry for entry in batch}, made, bench, outcomes)
        except Exception as error:
            for entry in batch:
                self.fail(entry.name, error, outcomes)
        finally:
            shutil.rmtree(bench, ignore_errors=True)
        return [outcomes[entry.name] for entry in batch if entry.name in outcomes]

    def staged(
        self, batch: Sequence[Entry], made: Made, bench: Path, outcomes: dict[str, Any]
    ) -> list[Item]:
        """The photos as files on the disk; those that an earlier try has finished are told so."""
        items = []
        for k, entry in enumerate(batch):
            try:
                known = (entry, self.item(entry, Path(entry.title), made), made.setup)
                where = self.output.finished(*known, made.settings, self.began)
                if where is not None:
                    outcomes[entry.name] = outcome(entry.name, FINISHED, where=where)
                folder = bench / "in" / str(k)
                folder.mkdir(parents=True)
                self.setups.copies.fetch_beside(entry.title)
                items.append(self.item(entry, stage(entry, folder), made))
            except Exception as error:
                self.fail(entry.name, error, outcomes)
        return items

    def item(self, entry: Entry, file: Path, made: Made) -> Item:
        """A photo as the local runner has it; `file` is the copy of one that lies elsewhere."""
        config = made.setup.config
        file = file if entry.far else Path(entry.file)
        reference = config["reference"] if entry.reference is None else entry.reference
        if is_url(reference):
            reference = str(self.setups.copies.copy(str(reference)))
        mask = config["mask"]
        folder = None if mask is None or not expand(mask).is_dir() else expand(mask)
        read = partial(read_fitting, made.setup, file, config["page"], self.job.side)
        return Item(entry.name, (file,), read, config["init"], reference, folder)

    def run(
        self,
        items: Sequence[Item],
        entries: dict[str, Entry],
        made: Made,
        bench: Path,
        outcomes: dict[str, Any],
    ) -> None:
        """Restore photos in a folder of this worker's, and hand each over as it comes."""
        prior = self.setups.prior(made)
        made.setup.sampler.schedule.times(prior.T)
        before = prior.calls

        def hand_over(files: list[Path]) -> None:
            report = next(file for file in files if file.suffix == ".json")
            name = report.relative_to(space.folder).as_posix().removesuffix(".json")
            if name in outcomes:
                return
            try:
                began = perf_counter()
                self.hand_over(entries[name], report, space.folder)
                outcomes[name] = outcome(name, DONE, perf_counter() - began)
            except Exception as error:
                self.fail(name, error, outcomes)

        with Bench(bench / "out") as space:
            quiet = Quiet(len(items))
            known = (items, made.setup, space, lambda error, _: self.job.describe(error))
            run = Folder(*known, hand_over, made.settings, quiet)
            if run.settle():
                run.restore(prior)
        calls = (prior.calls - before) / max(len(items), 1)
        for result in run.outcomes():
            if result.state == FAILED:
                self.fail(result.name, ValueError(result.error), outcomes)
            own = outcomes[result.name]
            if own["state"] == DONE:
                own["seconds"] += result.seconds
                suffix = Path(result.where or "").suffix
                own["where"] = self.output.where(f"{result.name}{suffix}")
            own["calls"] = calls

    def hand_over(self, entry: Entry, report: Path, folder: Path) -> None:
        """Put a photo's files where they belong, with the names of these in its report."""
        content = json.loads(report.read_text(encoding="utf-8"))
        main = Path(content["output"]).relative_to(folder).as_posix()
        content["output"] = self.output.where(main)
        content["input"] = entry.file
        if entry.part:
            content["input"] = f"{entry.file}#{entry.title}"
        write_json(content, report)

        base = folder / entry.name
        beside = [f"{base.name}{suffix}" for suffix in content["files"] if suffix != ".json"]
        names = [(base.parent / name).relative_to(folder).as_posix() for name in beside]
        for inner in content["folders"]:
            names += [
                file.relative_to(folder).as_posix()
                for file in (base.parent / inner).glob(f"{base.name}.*")
            ]
        self.output.publish(entry.name, folder, [*names, f"{entry.name}.json"])

    def fail(self, name: str, error: Exception, outcomes: dict[str, Any]) -> None:
        """Note that a photo cannot be restored."""
        outcomes.setdefault(name, outcome(name, FAILED, error=self.job.describe(error)))


def outcome(
    name: str, state: str, seconds: float = 0.0, where: str = "", error: str = ""
) -> dict[str, Any]:
    """What became of a photo, as plain values."""
    values = {"name": name, "state": state, "seconds": seconds, "where": where, "error": error}
    return {**values, "calls": 0.0}
