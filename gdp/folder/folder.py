"""Every photo of a run, in a folder that is this run's alone.

What is finished is passed over, what fails is reported, the rest goes on.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from gdp.folder.bar import Bar
from gdp.folder.film import observer
from gdp.folder.finished import finished, refuse_to_replace
from gdp.folder.group import Group, clear_previews, sample_group
from gdp.folder.items import DONE, FAILED, FINISHED, HOPELESS, LEFT, Item, Outcome
from gdp.folder.plan import plan
from gdp.folder.saving import result_file, save
from gdp.prior.prior import Prior
from gdp.restore.cost import check_memory, check_pair
from gdp.restore.finish import finish
from gdp.restore.observe import Measurement, fit_alpha
from gdp.restore.sample import Cost
from gdp.restore.setup import Setup
from gdp.storage import fingerprint
from gdp.storage.manifest import read_manifest
from gdp.storage.workspace import Workspace
from samplers.restorer import Restored

log = logging.getLogger("gdp")


class Folder:
    """The photos of a run and the folder of their results.

    Args:
        items: the photos.
        setup: operator, sampler, prior and settings.
        space: the folder, which this run has to itself.
        on_error: reports an error of the photo of a name, and gives it back in a line.
        on_files: is given the files of each result.
        settings, bar: the settings' fingerprint, and what shows how far it is, if they are there.

    Raises:
        ValueError: two results have one name.
    """

    def __init__(
        self,
        items: Sequence[Item],
        setup: Setup,
        space: Workspace,
        on_error: Callable[[Exception, str], str],
        on_files: Callable[[list[Path]], None] = lambda files: None,
        settings: str | None = None,
        bar: Bar | None = None,
    ):
        self.items = {item.name: item for item in items}
        for item in items:
            if self.items[item.name] is not item:
                raise ValueError(
                    f"{item.file} and {self.items[item.name].file} would both become {item.name} "
                    f"in {space.folder}; rename one, or restore them into two folders"
                )

        self.observe = observer(items, space.folder, setup)
        self.setup, self.space, self.on_error, self.on_files = setup, space, on_error, on_files
        self.settings = settings or fingerprint.of_settings(setup.config, setup.cosmetic)
        self.known: dict[str, Outcome] = {}  # of photos that have come to their end
        self.sources: dict[str, dict[str, Any]] = {}  # fingerprints of photos that were read
        self.bar = bar or Bar(len(items))

    def settle(self) -> bool:
        """Find out what is finished.

        Returns:
            Whether anything is left to do.

        Raises:
            ValueError: a file is in the way, or an unfinished restoration of other settings; or
                the sampler is known to end below its photo.
        """
        space, overwrite = self.space, self.setup.config["overwrite"]
        old = read_manifest(space.manifest)
        own = old is not None and old.settings == self.settings
        if space.checkpoint.exists() and not own and not overwrite:
            raise ValueError(
                f"{space.folder} holds a restoration that was interrupted, of other settings; "
                "give the same ones to go on with it, choose another output=, "
                "or let it go with overwrite=true"
            )

        began = old.began if old and own else None
        for item in self.items.values():
            where = finished(item, space.folder, self.setup, self.settings, began)
            if where is not None:
                log.info("%s: finished before, in %s", item.title, where)
                self.known[item.name] = Outcome(item.name, FINISHED, where=where)
            else:
                refuse_to_replace(item, space.folder, self.setup)

        if old is not None:
            clear_previews(space, old.photos)

        if left := len(self.known) < len(self.items):
            check_pair(self.setup)
        space.keep &= left
        return left

    def restore(self, prior: Prior) -> None:
        """Restore what is left to do.

        Raises:
            OSError: nothing more can be saved.
        """
        left = [name for name in self.items if name not in self.known]
        old = read_manifest(self.space.manifest)
        try:
            new = plan(self.items, left, self.setup, self.settings, prior.device, old)
            if new != old:
                new.write(self.space.manifest)

            with self.bar.running(before=len(self.known)):
                for batch in new.batches:
                    if any(name not in self.known for name in batch):
                        for group in self.groups(batch, prior):
                            self.restore_group(group, prior)

        # What was begun is kept, and told of, where the same line can go on with it.
        except BaseException as error:
            self.space.keep = self.space.checkpoint.exists() or len(self.items) > 1
            if self.space.keep and isinstance(error, KeyboardInterrupt):
                error.args += (f"the same line with output={self.space.folder} goes on from here",)
            if isinstance(error, OSError) and error.errno in HOPELESS:
                raise OSError(
                    f"{error.strerror} at {self.space.folder}; "
                    "mend that, and the same line with this output= goes on"
                ) from None
            raise

        self.space.keep = False

    def outcomes(self) -> list[Outcome]:
        """What became of every photo."""
        return [self.known.get(name, Outcome(name, LEFT)) for name in self.items]

    def groups(self, batch: Sequence[str], prior: Prior) -> list[Group]:
        """Read the photos of a batch; those together that may share network calls after all."""
        groups: dict[Any, Group] = {}
        for item in (self.items[name] for name in batch if name in self.items):
            try:
                self.bar.begin(item.title)
                self.sources[item.name] = fingerprint.of_photo(item.sources)
                photo = fit_alpha(item.read(), self.setup)
                check_memory(photo, self.setup, prior.device)
                more = (item.title, item.file, item.beside(item.init), item.beside(item.reference))
                measurement = self.observe(photo, self.setup, prior, *more)
            except Exception as error:
                self.fail(item, error)
                continue
            groups.setdefault(measurement.likeness or item.name, []).append((item, measurement))
        return list(groups.values())

    def restore_group(self, group: Group, prior: Prior) -> None:
        """Restore and save photos that share network calls; one by one where that fails."""
        if all(item.name in self.known for item, _ in group):
            return
        self.bar.begin(group[0][0].title, len(group))
        try:
            known = (self.space, self.settings, self.sources, self.bar)
            restored, cost = sample_group(group, self.setup, prior, *known)
        except Exception as error:
            if len(group) == 1:
                return self.fail(group[0][0], error)
            for one in group:
                self.restore_group([one], prior)
            return

        for (item, measurement), samples in zip(group, restored, strict=True):
            if item.name not in self.known:
                self.save(item, measurement, samples, cost, len(group), prior)
        self.space.checkpoint.unlink(missing_ok=True)

    def save(
        self,
        item: Item,
        measurement: Measurement,
        samples: Restored,
        cost: Cost,
        batch: int,
        prior: Prior,
    ) -> None:
        """Finish a photo and put its files into the folder."""
        began, target = perf_counter(), self.space.folder / item.name
        try:
            result = finish(measurement, samples, cost, self.setup, prior)
            known = {"settings": self.settings, "input": self.sources[item.name]}
            extra = {"batch": batch, "fingerprint": known}
            with self.space.result() as folder:
                files = save(result, target, item.file, (folder / item.name).parent, extra)
        except Exception as error:
            return self.fail(item, error)

        where = result_file(target, item.file, self.setup.config)
        taken = cost.seconds + perf_counter() - began
        self.known[item.name] = Outcome(item.name, DONE, taken, where)
        with self.bar.aside():
            self.on_files(files)
        self.bar.end()

    def fail(self, item: Item, error: Exception) -> None:
        """Report a photo that cannot be restored. OSError where none can be saved."""
        if isinstance(error, OSError) and error.errno in HOPELESS:
            raise error
        if item.name not in self.known:
            told = self.on_error(error, item.title)
            self.known[item.name] = Outcome(item.name, FAILED, error=told)
            self.bar.end(failed=True)
