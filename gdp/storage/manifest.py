"""Which photos of a run go through the network together.

It is fixed when the run starts, so that a run that goes on computes the same numbers. The file:

    began      when, in nanoseconds since 1970
    settings   the fingerprint of the settings
    machine    what else the plan depends on: batch= and the device
    photos     name -> sizes and times of its files
    batches    names, batch by batch
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gdp.storage.files import atomic

Size = tuple[int, int]  # height, width


@dataclass
class Manifest:
    """The plan of a run; its fields are those of the file."""

    settings: str
    machine: list[Any]
    photos: dict[str, Any]
    batches: list[list[str]]
    began: int = field(default_factory=time.time_ns)

    def write(self, file: Path) -> None:
        """Save the plan."""
        with atomic(file) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read_manifest(file: Path) -> Manifest | None:
    """Read a plan; None where there is no file, or it is something else."""
    try:
        return parse_manifest(file.read_bytes())
    except OSError:
        return None


def parse_manifest(text: bytes) -> Manifest | None:
    """The plan of a file's text; None where that is something else."""
    try:
        plan = Manifest(**json.loads(text))
    except (ValueError, TypeError):
        return None

    typed = (
        isinstance(plan.photos, dict)
        and isinstance(plan.batches, list)
        and isinstance(plan.began, int)
    )
    if not typed:
        return None

    # Names become paths of results, which stay in the folder.
    leaves = (Path(name).is_absolute() or ".." in Path(name).parts for name in plan.photos)
    return None if any(leaves) else plan


def plan_batches(
    sizes: Mapping[str, Size | None], capacity: Callable[[Size], int]
) -> list[list[str]]:
    """Put pictures of one size together.

    Args:
        sizes: name -> size of the picture; None is a picture that goes alone.
        capacity: how many pictures of a size a batch holds.

    Returns:
        Names, batch by batch, in the order of each batch's first.
    """
    batches: list[list[str]] = []
    open_batches: dict[Size, list[str]] = {}
    for name, size in sizes.items():
        if size is None:
            batches.append([name])
            continue

        batch = open_batches.get(size)
        if batch is None or len(batch) >= capacity(size):
            batch = open_batches[size] = []
            batches.append(batch)
        batch.append(name)
    return batches


def continue_plan(
    old: Manifest, new: Manifest, plan: Callable[[Sequence[str]], list[list[str]]]
) -> Manifest:
    """Keep the old plan for the photos that are still what they were.

    Args:
        old: the plan of a run that was killed.
        new: today's settings and photos; its batches and its beginning are replaced.
        plan: makes batches of the other photos.

    Returns:
        `new`.
    """
    same = {name for name, photo in new.photos.items() if old.photos.get(name) == photo}
    batches = [[name for name in batch if name in same] for batch in old.batches]
    batches = [batch for batch in batches if batch]

    covered = {name for batch in batches for name in batch}
    new.batches = batches + plan([name for name in new.photos if name not in covered])
    new.began = old.began
    return new


def stamp(files: Sequence[Path]) -> list[list[int]]:
    """Sizes in bytes and times in nanoseconds of files; empty where one is not there."""
    try:
        return [[file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    except OSError:
        return []
