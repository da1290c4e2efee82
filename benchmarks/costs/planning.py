"""How long it takes to list and plan very many photos, and how much memory.

    python -m benchmarks.costs.planning --photos 100000

The photos are tiny and lie in folders of a thousand; what is timed is what a run does before its
first photo: names are listed, each photo's size and time looked at, batches made, the plan written.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import save, table

IN_FOLDER = 1000
KINDS = 8  # sizes of pictures


def make(folder: Path, count: int) -> None:
    """Lay out photos: a few files, by very many names."""
    from PIL import Image

    for k in range(KINDS):
        size = (16 + 4 * (k % 2), 16 + 4 * k)
        Image.new("RGB", size, (k, 2 * k, 3 * k)).save(folder / f"{k}.png")
    photos = folder / "in"
    for k in range(count):
        if k % IN_FOLDER == 0:
            (photos / f"{k // IN_FOLDER:04}").mkdir(parents=True)
        os.link(folder / f"{k % KINDS}.png", photos / f"{k // IN_FOLDER:04}" / f"{k:07}.png")


def plan_all(folder: Path, engine: str) -> dict[str, Any]:
    """List and plan the photos of a folder; the seconds of each part, and the peak of memory."""
    from gdp.compose.configuration import compose_words
    from gdp.compose.parts import plain
    from gdp.engine.cluster import OnRay
    from gdp.engine.job import Job, Setups
    from gdp.engine.planning import plan, unfinished
    from gdp.engine.pool import Pool
    from gdp.engine.run import Here
    from gdp.engine.sources import entries_of

    words = ["task=sr4", f"output={folder / 'out'}", "device=cpu"]
    cfg, choices = compose_words(words)
    job = Job(plain(cfg), choices, words)
    made = Setups(job).of({})
    before = memory()

    began, worked = time.perf_counter(), time.process_time()
    entries = entries_of(str(folder / "in"), recursive=True)
    listed = time.perf_counter()
    if engine == "ray":
        with OnRay(Pool()) as pool:
            started = time.perf_counter()
            seen = list(pool.look(job, entries, True, None))
    else:
        started = time.perf_counter()
        seen = list(Here("cpu").look(job, entries, True, None))
    looked = time.perf_counter()
    manifest = plan(seen, made.setup, made.settings, "cpu", None)
    batches = unfinished(manifest, {entry.name: entry for entry in entries}, set())
    manifest.write(folder / "manifest.json")
    planned = time.perf_counter()
    return {
        "engine": engine,
        "photos": len(entries),
        "batches": len(batches),
        "list s": listed - began,
        "look s": looked - started,
        "plan s": planned - looked,
        "all s": planned - began,
        "of this process's CPU": time.process_time() - worked,
        "memory MB": memory(),
        "more MB": memory() - before,
        "KB a photo": 1000 * (memory() - before) / len(entries),
    }


def memory() -> float:
    """The most memory that this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--engine", default="local", choices=("local", "ray"))
    parser.add_argument("--json", help="keep the rows there")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), args.photos)
        rows = [plan_all(Path(name), args.engine)]
    print(table(rows, list(rows[0])))
    save(rows, args.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
