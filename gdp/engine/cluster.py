"""engine=ray: photos looked at by Ray's tasks and restored by a pool of Ray's actors.

Ray Data schedules, scales the pool, starts actors anew and tries again what they had in hand. What
is said here is only what a unit of work is, and what becomes of one that Ray has given up: a batch
is tried photo by photo, and a photo that has killed its actors is told of and passed over.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from gdp.engine.entries import Entry, packed, unpacked
from gdp.engine.job import Job
from gdp.engine.metrics import DriverMetrics, WorkerMetrics
from gdp.engine.pool import Pool, import_ray, start
from gdp.engine.worker import Seen, Worker, outcome
from gdp.folder.items import FAILED
from gdp.prior.weights import choose_device

PAGE = 500  # photos that a task looks at
WAVE = 4000  # batches that Ray Data is given at once, so that a driver's memory is bounded
IN_HAND = 2  # batches that an actor is given at once, so that it need not wait for the next
AGAIN = 1  # times that Ray tries a batch again whose actor has died
ROUNDS = 2  # for a batch, and for a photo alone
POISON = (
    "it has killed the workers that restored it, each time, and is passed over; restore it alone "
    "with engine=local to see why (memory may be too little)"
)
log = logging.getLogger("gdp")


class OnRay:
    """The engine, while it is in the `with` block.

    Args:
        pool: the actors.

    Raises:
        ValueError: Ray is not installed, or no cluster is at the address.
    """

    def __init__(self, pool: Pool):
        self.pool = pool
        self.own = False

    def __enter__(self) -> "OnRay":
        ray = import_ray()
        if not ray.is_initialized():
            start(self.pool)
            self.own = True

        there = ray.cluster_resources().get("GPU", 0)
        wants = self.pool.device in ("auto", "cuda") or self.pool.device.startswith("cuda:")
        gpus = self.pool.num_gpus
        self.gpus = (1.0 if there and wants else 0.0) if gpus is None else gpus
        plain = self.pool.device if self.pool.device != "auto" else choose_device().device.type
        self.kind = "cuda" if self.gpus else plain.partition(":")[0]
        if self.gpus > there:
            self.__exit__()
            raise ValueError(
                f"num_gpus={self.gpus:g}, and the cluster has {there:g} GPUs; give num_gpus=0 to "
                "compute on CPUs"
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.own:
            import_ray().shutdown()

    def look(
        self, job: Job, entries: Sequence[Entry], empty: bool, began: int | None
    ) -> Iterator[Seen]:
        """What planning needs of the photos, in their order."""
        if len(entries) <= PAGE:
            worker = Worker(job, began)
            yield from (worker.look(entry, empty) for entry in entries)
            return

        ray = import_ray()
        task = ray.remote(num_cpus=1, max_retries=3)(look_at)
        known = ray.put((job, began, empty))
        pages = [entries[k : k + PAGE] for k in range(0, len(entries), PAGE)]
        ahead = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting = [task.remote(known, packed(list(page))) for page in pages[:ahead]]
        for page in [*pages[ahead:], *[None] * len(waiting)]:
            yield from ray.get(waiting.pop(0))
            if page is not None:
                waiting.append(task.remote(known, packed(list(page))))

    def restore(
        self, job: Job, batches: Sequence[Sequence[Entry]], began: int
    ) -> Iterator[dict[str, Any]]:
        """What becomes of the photos, as it does."""
        tries: Counter[str] = Counter()
        metrics = DriverMetrics(sum(map(len, batches)))
        left = [list(batch) for batch in batches]
        while left:
            done = set()
            for k in range(0, len(left), WAVE):
                for one in self.round(job, left[k : k + WAVE], began, AGAIN if not tries else 0):
                    done.add(one["name"])
                    metrics.over(len(done))
                    yield one

            # What Ray has given up: once more as it was, for a node may have been lost; then photo
            # by photo.
            lost = [batch for batch in left if any(entry.name not in done for entry in batch)]
            left = []
            for batch in lost:
                key = "\n".join(entry.name for entry in batch)
                tries[key] += 1
                if tries[key] < ROUNDS:
                    left.append(batch)
                elif len(batch) > 1:
                    left += [[entry] for entry in batch if entry.name not in done]
                else:
                    metrics.failed()
                    yield outcome(batch[0].name, FAILED, error=POISON)

    def round(
        self, job: Job, batches: Sequence[Sequence[Entry]], began: int, again: int
    ) -> Iterator[dict[str, Any]]:
        """One go through batches; those whose actors died each time are missing.

        Args:
            job: the run.
            batches: units of work.
            began: when the run began.
            again: how often Ray tries one again whose actor has died.
        """
        import ray.data
        from ray.data import ActorPoolStrategy

        context = ray.data.DataContext.get_current()
        context.max_errored_blocks = -1
        context.enable_progress_bars = False
        most = self.pool.actors
        strategy = ActorPoolStrategy(
            min_size=1,
            max_size=min(most or len(batches), len(batches)),
            initial_size=min(most or 1, len(batches)),
            max_tasks_in_flight_per_actor=IN_HAND,
        )
        rows = [{"batch": packed(list(batch))} for batch in batches]
        results = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            Actor,
            fn_constructor_args=(job, began),
            batch_size=1,
            compute=strategy,
            num_cpus=self.pool.num_cpus,
            num_gpus=self.gpus or None,
            max_restarts=-1,
            max_task_retries=again,
        )
        for row in results.iter_rows():
            yield json.loads(row["outcome"])


class Actor:
    """A worker as Ray Data calls it: a prior, loaded once, and batches that come.

    Args:
        job: the run.
        began: when it began.
    """

    def __init__(self, job: Job, began: int):
        self.worker, self.metrics = Worker(job, began), WorkerMetrics()

    def __call__(self, rows: dict[str, Any]) -> dict[str, Any]:
        """Restore batches, each a row."""
        outcomes = []
        for text in rows["batch"]:
            for one in self.worker.restore(unpacked(str(text))):
                self.metrics.note(one)
                outcomes.append(json.dumps(one))
        return {"outcome": outcomes}


WORKERS: dict[str, Worker] = {}  # of this process, for tasks that look


def look_at(known: tuple[Job, int | None, bool], page: str) -> list[Seen]:
    """A task: what planning needs of a page of photos."""
    import torch

    torch.set_num_threads(1)
    job, began, empty = known
    key = json.dumps([job.config, began], default=str, sort_keys=True)
    if key not in WORKERS:
        WORKERS.clear()
        WORKERS[key] = Worker(job, began)
    return [WORKERS[key].look(entry, empty) for entry in unpacked(page)]
