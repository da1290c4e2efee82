"""Which photos of a run go through the network together: fixed at its start, so that a run that goes on computes the same numbers.

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

Size = tuple[int, int]


@dataclass
class Manifest:
    """A plan, as above."""

    settings: str
    machine: list[Any]
    photos: dict[str, Any]
    batches: list[list[str]]
    began: int = field(default_factory=time.time_ns)

    def write(self, file: Path) -> None:
        """Save it."""
        with atomic(file) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1))


def read_manifest(file: Path) -> Manifest | None:
    """What `write` saved; None where there is none, or it is something else."""
    try:
        found = Manifest(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    sound = (
        isinstance(found.photos, dict)
        and isinstance(found.batches, list)
        and isinstance(found.began, int)
    )
    return (
        found
        if sound
        and not any(Path(name).is_absolute() or ".." in Path(name).parts for name in found.photos)
        else None
    )


def planned(sizes: Mapping[str, Size | None], capacity: Callable[[Size], int]) -> list[list[str]]:
    """Batches of names of pictures of one size (height, width), no more than its capacity in each, in the order of their first."""
    batches: list[list[str]] = []
    unfilled: dict[Size, list[str]] = {}
    for name, size in sizes.items():
        batch = unfilled.get(size) if size else None
        if size is None or batch is None or len(batch) >= capacity(size):
            batch = []
            batches.append(batch)
            if size:
                unfilled[size] = batch
        batch.append(name)
    return batches


def continued(
    old: Manifest, new: Manifest, plan: Callable[[Sequence[str]], list[list[str]]]
) -> Manifest:
    """The old plan for the photos that are still what they were, and a plan of their own for the others."""
    known = {name for name, photo in new.photos.items() if old.photos.get(name) == photo}
    batches = [[name for name in batch if name in known] for batch in old.batches]
    planned = {name for batch in batches for name in batch}
    new.batches = [batch for batch in batches if batch] + plan(
        [name for name in new.photos if name not in planned]
    )
    new.began = old.began
    return new


def stamp(files: Sequence[Path]) -> list[list[int]]:
    """Sizes and times of files; empty where one is not there."""
    try:
        return [[file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    except OSError:
        return []
