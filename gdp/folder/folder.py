"""Every photo of a run, in a folder that is this run's alone: what is finished is passed over, what fails is told, the rest goes on."""

import errno
import json
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from gdp.folder.items import DONE, FAILED, FINISHED, LEFT, Entry, Item
from gdp.folder.progress import Progress
from gdp.folder.saving import picture, save, suffixes
from gdp.picture import image
from gdp.picture.size import size_of
from gdp.prior.prior import Prior
from gdp.restore import job
from gdp.restore.job import Case
from gdp.restore.pipeline import Outcome
from gdp.storage import fingerprint
from gdp.storage.files import clear
from gdp.storage.manifest import Manifest, continued, planned, read_manifest, stamp
from gdp.storage.snapshot import Snapshot
from gdp.storage.workspace import Workspace
from gdp.version import __version__

if TYPE_CHECKING:
    from gdp.restore.setup import Setup

HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # no other photo could be saved either
log = logging.getLogger("gdp")


class Folder:
    """The photos of a run and the folder of its results. `tell` is told of errors, `show` of files that are written."""

    def __init__(
        self,
        items: Sequence[Item],
        setup: "Setup",
        space: Workspace,
        tell: Callable[[Exception, str], str],
        show: Callable[[list[Path]], None] = lambda files: None,
    ):
        self.items = {item.name: item for item in items}
        for item in items:
            if self.items[item.name] is not item:
                twice = f"{item.file} and {self.items[item.name].file}"
                raise ValueError(
                    f"{twice} would both become {item.name} in {space.folder}; rename one, or restore them into two folders"
                )
        self.setup, self.space, self.tell, self.show = setup, space, tell, show
        self.settings = fingerprint.of_settings(setup.config)
        self.entries: dict[str, Entry] = {}
        self.sources: dict[str, dict[str, Any]] = {}  # fingerprints of photos that were read

    def settle(self) -> bool:
        """Find out what is finished; whether anything is left to do.

        ValueError where a file is in the way, or an unfinished restoration of other settings.
        """
        overwrite, old = self.setup.config["overwrite"], read_manifest(self.space.manifest)
        own = old is not None and old.settings == self.settings
        if self.space.checkpoint.exists() and not own and not overwrite:
            raise ValueError(
                f"{self.space.folder} holds a restoration that was interrupted, of other settings; give the same ones to go on with it, "
                "choose another output=, or let it go with overwrite=true"
            )
        for item in self.items.values():
            where = self.finished(item, old.began if own and old else None)
            if where is not None:
                log.info("%s: finished before, in %s", item.called, where)
                self.entries[item.name] = Entry(item.name, FINISHED, where=where)
            elif not overwrite:
                self.refuse(item)
        if old is not None:
            previews = [self.preview(name) for name in old.photos]
            for folder in {file.parent for file in previews}:
                clear(folder, [file.name for file in previews])
            for file in previews:
                file.unlink(missing_ok=True)
        left = len(self.entries) < len(self.items)
        self.space.keep &= left
        return left

    def finished(self, item: Item, began: int | None) -> Path | None:
        """The result of the same photo with the same settings, where there is one; with overwrite=true only one that this run made,
        which `began` then, before it was killed."""
        report = self.target(item).with_name(f"{self.target(item).name}.json")
        try:
            told = json.loads(report.read_text())
            known, files = (
                told["fingerprint"],
                [report.with_name(f"{self.target(item).name}{suffix}") for suffix in told["files"]],
            )
            fresh = not self.setup.config["overwrite"] or (
                began is not None and report.stat().st_mtime_ns >= began
            )
            same = known["settings"] == self.settings and fingerprint.same_photo(
                known["input"], item.sources
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (
            self.picture(item) if fresh and same and all(file.is_file() for file in files) else None
        )

    def refuse(self, item: Item) -> None:
        """ValueError where a result would replace a file."""
        for suffix in suffixes(self.setup, item.file):
            file = self.space.folder / f"{item.name}{suffix}"
            if os.path.lexists(file):
                raise ValueError(
                    f"{file} exists, made otherwise or of another photo; choose another output=, or allow overwrite=true"
                )

    def target(self, item: Item) -> Path:
        """The results of a photo, without their suffixes."""
        return self.space.folder / item.name

    def picture(self, item: Item) -> Path:
        """The result itself."""
        return picture(self.target(item), item.file, self.setup.config)

    def preview(self, name: str) -> Path:
        """What is shown of a photo until it is done."""
        return self.space.folder / f"{name}.preview.png"

    def restore(self, prior: Prior) -> None:
        """Restore what is left to do. OSError where nothing more can be saved."""
        try:
            for batch in self.plan(prior.device).batches:
                if any(name not in self.entries for name in batch):
                    for group in self.groups(
                        [self.items[name] for name in batch if name in self.items], prior
                    ):
                        self.together(group, prior)
        except BaseException as error:
            self.space.keep = self.space.checkpoint.exists() or len(self.items) > 1
            if self.space.keep and isinstance(error, KeyboardInterrupt):
                log.info("to go on from here, give the same line with output=%s", self.space.folder)
            if isinstance(error, OSError) and error.errno in HOPELESS:
                text = f"{error.strerror} at {self.space.folder}; mend that, and the same line with this output= goes on"
                raise OSError(text) from None
            raise
        self.space.keep = False

    def outcome(self) -> list[Entry]:
        """What became of every photo."""
        return [self.entries.get(name, Entry(name, LEFT)) for name in self.items]

    def plan(self, device: torch.device) -> Manifest:
        """Which photos go together: as an earlier run of the same settings had it, as far as the photos are the same."""
        batch = self.setup.config["batch"]
        photos = {name: stamp(item.sources) for name, item in self.items.items()}
        old, new = (
            read_manifest(self.space.manifest),
            Manifest(self.settings, [batch, device.type], photos, []),
        )
        if old is not None and (old.settings, old.machine) == (new.settings, new.machine):
            new = continued(old, new, partial(self.batches, device))
        else:
            new.batches = self.batches(device, list(photos))
        if old != new:
            new.write(self.space.manifest)
        return new

    def batches(self, device: torch.device, names: Sequence[str]) -> list[list[str]]:
        """Those of these photos that are not finished, as many together as `batch` says, where they seem to be of one size."""
        left = [name for name in names if name not in self.entries]
        if not job.shareable(self.setup) or len(left) == 1:
            return [[name] for name in left]
        return planned(
            {name: size_of(self.items[name].file) for name in left}, partial(self.capacity, device)
        )

    def capacity(self, device: torch.device, size: tuple[int, int]) -> int:
        """How many photos of a size (height, width) may go through the network together."""
        config = self.setup.config
        try:
            made = (
                size
                if config["degrade"]
                else self.setup.operator.x_shape(torch.zeros(1).expand(1, 3, *size))[-2:]
            )
        except Exception:  # whatever is wrong with photos of this size, each will tell
            return 1
        return max(1, job.at_once(self.setup, made, device) // config["samples"])

    def groups(self, items: Sequence[Item], prior: Prior) -> list[list[tuple[Item, Case]]]:
        """The photos of a batch, read and ready, those together that may share network calls after all; what fails is told."""
        groups: dict[Any, list[tuple[Item, Case]]] = {}
        for item in items:
            try:
                case = self.case(item, prior)
            except Exception as error:
                self.fail(item, error)
                continue
            groups.setdefault(job.likeness(case) or item.name, []).append((item, case))
        return list(groups.values())

    def case(self, item: Item, prior: Prior) -> Case:
        """A photo, read and ready to be restored."""
        self.sources[item.name] = fingerprint.of_photo(item.sources)
        init = (
            None if item.init is None else image.read(image.namesake(item.init, item.file)).pixels
        )
        photo = job.fitting_alpha(item.read(), self.setup)
        return job.prepare(photo, self.setup, prior.device, item.called, item.file, init)

    def together(self, group: list[tuple[Item, Case]], prior: Prior) -> None:
        """Restore and save photos that share network calls; one by one where that fails together."""
        if all(item.name in self.entries for item, _ in group):
            return
        try:
            outcomes = self.sampled(group, prior)
        except Exception as error:
            if len(group) == 1:
                return self.fail(group[0][0], error)
            for one in group:
                self.together([one], prior)
            return
        for (item, case), outcome in zip(group, outcomes, strict=True):
            if item.name not in self.entries:
                self.save(item, case, outcome, len(group), prior)
        self.space.checkpoint.unlink(missing_ok=True)

    def sampled(self, group: list[tuple[Item, Case]], prior: Prior) -> list[Outcome]:
        """What the network makes of the group, from where an earlier run has left it."""
        cases, first = [case for _, case in group], group[0][0]
        names = first.called + (f" +{len(group) - 1}" if len(group) > 1 else "")
        key = fingerprint.digest(
            [
                __version__,
                self.settings,
                prior.device.type,
                [self.sources[item.name] for item, _ in group],
            ]
        )
        snapshot = Snapshot(self.space.checkpoint, key, self.setup.config["checkpoint"], names)
        if snapshot.load():
            log.info("%s: goes on where it was", names)
        previews = [self.preview(item.name) for item, _ in group]
        passes, every = job.passes(cases[0], self.setup, prior), self.setup.config["preview"]
        with Progress(
            passes, names, prior, cases[0].operator, cases[0].y, previews, every
        ) as progress:
            try:
                outcomes = job.sample_all(cases, self.setup, prior, progress.step, snapshot.place())
            except KeyboardInterrupt:
                snapshot.stop()
                raise
        return [
            outcome._replace(seconds=outcome.seconds + snapshot.seconds / len(group))
            for outcome in outcomes
        ]

    def save(self, item: Item, case: Case, outcome: Outcome, batch: int, prior: Prior) -> None:
        """Finish a photo and put its files into the folder."""
        began, target = perf_counter(), self.target(item)
        try:
            result = job.finish(case, outcome, self.setup, prior)
            known = {
                "batch": batch,
                "fingerprint": {"settings": self.settings, "input": self.sources[item.name]},
            }
            with self.space.result() as folder:
                files = save(result, target, item.file, (folder / item.name).parent, known)
        except Exception as error:
            return self.fail(item, error)
        self.entries[item.name] = Entry(
            item.name, DONE, outcome.seconds + perf_counter() - began, self.picture(item)
        )
        self.show(files)

    def fail(self, item: Item, error: Exception) -> None:
        """A photo that cannot be restored. OSError where none can be saved."""
        if isinstance(error, OSError) and error.errno in HOPELESS:
            raise error
        if item.name not in self.entries:
            self.entries[item.name] = Entry(item.name, FAILED, error=self.tell(error, item.called))
