"""The queue: jobs are restored in their order, and begin again where a killed server left them."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdp.studio.jobs import store
from gdp.studio.jobs.hands import GRACE, DiedError, Event, Hands
from gdp.studio.jobs.store import Job, Store, key_of

EXPIRE = 600.0  # seconds between two looks for what is too old
DIED = "died"  # the error of a job whose process ended; the page has words for it


@dataclass
class Live:
    """How far a job is."""

    stop: threading.Event = field(default_factory=threading.Event)
    share: float = 0.0  # of all photos
    over: float | None = None  # when it will be through, of time.monotonic(), once that is known

    def left(self) -> float | None:
        """Seconds until the end, by the speed so far; None before that is known."""
        return None if self.over is None else max(0.0, self.over - time.monotonic())


class Line:
    """Jobs in a queue, one after the other; `workers` of them at a time.

    Args:
        jobs: where jobs lie.
        log: the file of the processes' messages.
        workers: how many restore at a time.
        keep: seconds after which jobs are removed.
    """

    def __init__(self, jobs: Store, log: Path, workers: int = 1, keep: float = 7 * 86400.0):
        self.store, self.keep = jobs, keep
        self.hands = [Hands(log, "warm") for _ in range(workers)]
        self.waiting: list[Job] = []
        self.live: dict[str, Live] = {}
        self.news = threading.Condition()

    def start(self) -> None:
        """Take up what a killed server left, and begin to work."""
        for job in self.store.all():
            if job.active:
                self.put(job)
        for hands in self.hands:
            threading.Thread(target=self.work, args=(hands,), daemon=True).start()
        threading.Thread(target=self.expire, daemon=True).start()

    def submit(self, job: Job, words: list[str]) -> None:
        """Have a job restored with these settings, after those that wait."""
        folder = self.store.folder(job)
        job.words, job.key = words, key_of(words, folder / "mask.png", folder / "kernel.png")
        job.photos, job.remarks, job.error, job.seconds = {}, [], "", 0.0
        self.put(job)

    def put(self, job: Job) -> None:
        """Let a job wait for its turn."""
        job.state = store.QUEUED
        self.store.save(job)
        with self.news:
            self.live[job.id] = Live()
            self.waiting.append(job)
            self.news.notify()

    def cancel(self, id: str) -> None:
        """Stop a job that waits or runs; what is done of it stays."""
        with self.news:
            live = self.live.get(id)
            if live is not None:
                live.stop.set()
            for job in [job for job in self.waiting if job.id == id]:
                self.waiting.remove(job)
                self.settle(job, store.CANCELLED)

    def cancelled(self, job: Job) -> Job:
        """Cancel a job, and wait until it has stopped; what is then known of it."""
        self.cancel(job.id)
        until = time.monotonic() + 2 * GRACE + 1
        while job.id in self.live and time.monotonic() < until:
            time.sleep(0.02)
        return self.store.read(self.store.folder(job)) or job

    def place(self, id: str) -> int:
        """How many jobs are before a waiting one."""
        with self.news:
            ids = [job.id for job in self.waiting]
        return ids.index(id) if id in ids else 0

    def work(self, hands: Hands) -> None:
        """Do what waits, for ever."""
        hands.start()
        while True:
            with self.news:
                while not self.waiting:
                    self.news.wait()
                job = self.waiting.pop(0)
                live = self.live[job.id]
            self.restore(job, live, hands)

    def restore(self, job: Job, live: Live, hands: Hands) -> None:
        """Restore one job."""
        job.state, began = store.RUNNING, time.monotonic()
        self.store.save(job)
        request = {
            "do": "restore",
            "job": str(self.store.folder(job)),
            "run": str(self.store.run(job)),
            "files": job.files,
            "words": job.words,
            "batch": job.kind == store.BATCH,
        }
        try:
            end = hands.ask(request, lambda event: self.follow(job, live, event), live.stop)
        except DiedError:
            end = {"error": DIED}
        job.seconds = time.monotonic() - began
        job.error = end.get("error") or ""
        state = store.CANCELLED if end.get("stopped") else store.FAILED if job.error else store.DONE
        self.settle(job, state)

    def follow(self, job: Job, live: Live, event: Event) -> None:
        """Take note of what a process tells of a job."""
        kind = event.get("event")
        if kind == "progress":
            live.share = max(live.share, event["share"])
            if event["left"] is not None:
                live.over = time.monotonic() + event["left"]
        elif kind == "photo":
            note: dict[str, Any] = event["photo"]
            job.photos[note["name"]] = note
            self.store.save(job)
        elif kind == "say":
            job.remarks.append(event["text"])

    def settle(self, job: Job, state: str) -> None:
        """Let a job be at its end."""
        job.state = state
        self.store.save(job)
        self.live.pop(job.id, None)

    def expire(self) -> None:
        """Remove what is too old, now and then."""
        while True:
            self.store.expire(self.keep)
            time.sleep(EXPIRE)

    def end(self) -> None:
        """End the processes; jobs that are not through go on with the next server."""
        for hands in self.hands:
            hands.end()
