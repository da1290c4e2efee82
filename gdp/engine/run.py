"""A run: what is finished, what is planned, what becomes of each photo."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from gdp.engine.entries import Entry
from gdp.engine.in_store import output_of
from gdp.engine.job import Job, Setups
from gdp.engine.planning import plan, unfinished
from gdp.engine.worker import Seen, Worker, outcome
from gdp.folder.bar import Bar
from gdp.folder.items import DONE, FAILED, FINISHED, LEFT, Outcome
from gdp.remote.urls import is_url

log = logging.getLogger("gdp")
EVERY = 10_000  # photos between two lines of how many were looked at


class Engine(Protocol):
    """Who looks at photos and restores them."""

    kind: str  # of the device where networks are

    def look(
        self, job: Job, entries: Sequence[Entry], empty: bool, began: int | None
    ) -> Iterable[Seen]:
        """What planning needs of the photos, in their order."""

    def restore(
        self, job: Job, batches: Sequence[Sequence[Entry]], began: int
    ) -> Iterator[dict[str, Any]]:
        """What becomes of the photos, as it does."""


class Here:
    """The engine of this process: one photo or batch after another.

    Args:
        kind: of the device.
    """

    def __init__(self, kind: str):
        self.kind = kind

    def look(
        self, job: Job, entries: Sequence[Entry], empty: bool, began: int | None
    ) -> Iterator[Seen]:
        """What planning needs of the photos, in their order."""
        worker = Worker(job, began)
        return (worker.look(entry, empty) for entry in entries)

    def restore(
        self, job: Job, batches: Sequence[Sequence[Entry]], began: int
    ) -> Iterator[dict[str, Any]]:
        """What becomes of the photos, as it does."""
        worker = Worker(job, began)
        for batch in batches:
            yield from worker.restore(batch)


class Run:
    """The photos of a run, and where their results go.

    Args:
        job: the run.
        entries: its photos; no two names are alike.
        engine: who restores them.
        on_outcome: is told of each photo that is restored or has failed.
    """

    def __init__(
        self,
        job: Job,
        entries: Sequence[Entry],
        engine: Engine,
        on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    ):
        self.job, self.engine, self.on_outcome = job, engine, on_outcome
        self.entries = {entry.name: entry for entry in entries}
        self.known: dict[str, Outcome] = {}

    def restore(self) -> list[Outcome]:
        """Restore what is left to do.

        Returns:
            What became of every photo.

        Raises:
            ValueError, TypeError, OSError: the run as a whole is refused.
        """
        output = output_of(self.job.output, bool(self.job.config["overwrite"]))
        made = Setups(self.job).of({})
        old = output.manifest()
        own = old is not None and old.settings == made.settings
        began = old.began if old is not None and own else None

        # What is there; what would be in the way refuses the run before any photo is begun.
        seen = self.look(output.is_empty(), began)
        new = plan(seen, made.setup, made.settings, self.engine.kind, old)
        batches = unfinished(new, self.entries, set(self.known))
        if batches:
            if new != old:
                output.keep_manifest(new)
            self.run(batches, new.began)
        output.keep_manifest(None)
        return [self.known.get(name, Outcome(name, LEFT)) for name in self.entries]

    def look(self, empty: bool, began: int | None) -> list[Seen]:
        """What is known of every photo.

        Raises:
            ValueError: one of them refuses the run.
        """
        found = []
        job, entries = self.job, list(self.entries.values())
        for one in self.engine.look(job, entries, empty, began):
            if one.error:
                raise ValueError(one.error)
            if one.where is not None:
                log.info("%s: finished before, in %s", self.entries[one.name].title, one.where)
                self.known[one.name] = outcome_of(outcome(one.name, FINISHED, where=one.where))
            found.append(one)
            if len(found) % EVERY == 0:
                log.info("%d of %d photos looked at", len(found), len(entries))
        return found

    def run(self, batches: Sequence[Sequence[Entry]], began: int) -> None:
        """Have batches restored, and note what becomes of their photos."""
        bar = Bar(len(self.entries))
        with bar.running(before=len(self.known)):
            for one in self.engine.restore(self.job, batches, began):
                name = one["name"]
                if name in self.known:
                    continue
                state = DONE if one["state"] == FINISHED else one["state"]
                known = self.known[name] = outcome_of({**one, "state": state})
                bar.begin(self.entries[name].title)
                if state == FAILED:
                    log.error("error: %s: %s", self.entries[name].title, one["error"])
                elif self.job.config["log"] == "json":
                    log.info("%s: %s", self.entries[name].title, state, extra={"data": one})
                with bar.aside():
                    self.on_outcome(known)
                bar.end(failed=state == FAILED)


def outcome_of(values: Mapping[str, Any]) -> Outcome:
    """What became of a photo, of the plain values that a worker sends."""
    name, state, where = values["name"], values["state"], values["where"]
    far = is_url(where)
    path = None if far or not where else Path(where)
    return Outcome(name, state, values["seconds"], path, values["error"], url=where if far else "")
