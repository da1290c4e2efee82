"""Which photos of a run share network calls: planned as the local runner does, and as lazily."""

from collections.abc import Iterable, Sequence
from functools import partial

import torch

from gdp.engine.entries import Entry
from gdp.engine.worker import Seen
from gdp.folder.plan import capacity
from gdp.restore.setup import Setup
from gdp.storage.manifest import Manifest, continue_plan, plan_batches


def plan(
    seen: Iterable[Seen],
    setup: Setup,
    settings: str,
    kind: str,
    old: Manifest | None,
) -> Manifest:
    """Plan the batches of a run.

    The batches are those of the local runner: results depend on them in their last bits. Photos
    with settings of their own go with such that have the same.

    Args:
        seen: what is known of all photos, in their order.
        setup: of the run.
        settings: its fingerprint.
        kind: of the device where the networks are: cpu, cuda ...
        old: the plan of a run that was interrupted.
    """
    device = torch.device(kind)
    stamps, keys, sizes, left = {}, {}, {}, set()
    for one in seen:
        stamps[one.name], keys[one.name] = one.stamp, one.key
        if one.where is None:
            left.add(one.name)
            sizes[one.name] = one.size
    new = Manifest(settings, [setup.config["batch"], kind], stamps, [])

    def batches(names: Sequence[str]) -> list[list[str]]:
        groups: dict[str, list[str]] = {}
        for name in names:
            if name in left:
                groups.setdefault(keys[name], []).append(name)
        made = []
        for group in groups.values():
            known = {name: sizes[name] for name in group}
            made += plan_batches(known, partial(capacity, setup, device))
        return made

    if old is not None and (old.settings, old.machine) == (new.settings, new.machine):
        return continue_plan(old, new, batches)
    new.batches = batches(list(stamps))
    return new


def unfinished(manifest: Manifest, entries: dict[str, Entry], done: set[str]) -> list[list[Entry]]:
    """The batches that hold a photo that is not finished, whole: results depend on all of it."""
    chosen = []
    for names in manifest.batches:
        if any(name not in done for name in names):
            chosen.append([entries[name] for name in names if name in entries])
    return chosen
