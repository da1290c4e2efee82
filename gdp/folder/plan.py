"""Which photos go through the network together."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch

from gdp.folder.items import Item
from gdp.picture import size_of
from gdp.restore.setup import Setup
from gdp.storage.manifest import Manifest, continue_plan, plan_batches, stamp


def plan(
    items: Mapping[str, Item],
    left: Sequence[str],
    setup: Setup,
    settings: str,
    device: torch.device,
    old: Manifest | None,
) -> Manifest:
    """Plan the batches of a run.

    A run that was killed is planned as it was, as far as its photos are still the same: results
    depend on the batch in their last bits, and the run is to come to the same ones.

    Args:
        items: all photos by name.
        left: the names of those that are not finished.
        setup: operator and settings.
        settings: the settings' fingerprint.
        device: where the network is.
        old: the plan of the run before.
    """
    stamps = {name: stamp(item.sources) for name, item in items.items()}
    new = Manifest(settings, [setup.config["batch"], device.type], stamps, [])

    def batches(names: Sequence[str]) -> list[list[str]]:
        rest = [name for name in names if name in left]
        if not setup.shareable or len(rest) == 1:
            return [[name] for name in rest]
        sizes = {name: size_of(items[name].file) for name in rest}
        return plan_batches(sizes, partial(capacity, setup, device))

    if old is not None and (old.settings, old.machine) == (new.settings, new.machine):
        return continue_plan(old, new, batches)
    new.batches = batches(list(items))
    return new


def capacity(setup: Setup, device: torch.device, size: tuple[int, int]) -> int:
    """How many photos of a size (height, width) may go through the network together."""
    try:
        photo = torch.zeros(1).expand(1, 3, *size)
        result = size if setup.config["degrade"] else setup.operator.x_shape(photo)[-2:]
    except Exception:  # whatever is wrong with photos of this size, each of them will say it
        return 1
    return max(1, setup.at_once(result, device) // setup.config["samples"])
