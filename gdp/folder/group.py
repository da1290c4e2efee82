"""Photos that share network calls: sampled together, from where an earlier run has left them."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gdp.folder.bar import Bar
from gdp.folder.items import Item
from gdp.folder.narration import narrated
from gdp.folder.progress import Progress
from gdp.prior.prior import Prior
from gdp.restore.cost import check_outcome, check_time
from gdp.restore.observe import Measurement
from gdp.restore.sample import Cost, batches_of, expected_passes, sample
from gdp.restore.setup import Setup
from gdp.storage import fingerprint
from gdp.storage.files import clear
from gdp.storage.snapshot import Snapshot
from gdp.storage.workspace import Workspace
from gdp.version import __version__
from samplers.restorer import OnStep, Restored

Group = list[tuple[Item, Measurement]]
log = logging.getLogger("gdp")


def sample_group(
    group: Group,
    setup: Setup,
    prior: Prior,
    space: Workspace,
    settings: str,
    sources: Mapping[str, Any],
    bar: Bar,
) -> tuple[list[Restored], Cost]:
    """Sample a group, with previews, and snapshots of how far it is.

    Args:
        group: photos of equal `likeness`.
        setup: sampler and settings.
        prior: the prior, loaded.
        space: the folder, where the snapshot is kept.
        settings: the settings' fingerprint.
        sources: the fingerprint of each photo, by name.
        bar: of the run, which it moves.

    Raises:
        ValueError: the sampler diverged.
    """
    items, measurements = [item for item, _ in group], [measurement for _, measurement in group]
    first, config = measurements[0], setup.config
    title = items[0].title + (f" +{len(group) - 1}" if len(group) > 1 else "")

    # The state of these photos under these settings.
    known = [sources[item.name] for item in items]
    key = fingerprint.digest([__version__, settings, prior.device.type, known])
    snapshot = Snapshot(space.checkpoint, key, config["checkpoint"], title)
    if snapshot.load():
        log.info("%s: goes on where it was", title)

    passes = expected_passes(first, setup, prior)
    size = first.operator.x_shape(first.y)[-2:]
    check_outcome(size, setup, prior.T)
    check_time(passes, size, setup, prior)
    passes *= len(batches_of(measurements, setup))
    previews = [preview_file(space, item.name) for item in items]
    with Progress(passes, prior, bar, previews, config["preview"]) as progress:
        step: OnStep = progress.step
        if config["verbose"]:
            step = narrated(step, title, prior, first.operator, first.y)
        follow = (step, snapshot.slot(), progress.begin)
        try:
            restored, cost = sample(measurements, setup, prior, *follow)
        except KeyboardInterrupt:
            snapshot.stop()
            raise
    return restored, cost._replace(seconds=cost.seconds + snapshot.seconds / len(group))


def preview_file(space: Workspace, name: str) -> Path:
    """What is shown of a photo until it is done."""
    return space.folder / f"{name}.preview.png"


def clear_previews(space: Workspace, names: Iterable[str]) -> None:
    """Remove the previews of photos that a killed run has left, whole or unfinished."""
    previews = [preview_file(space, name) for name in names]
    for folder in {file.parent for file in previews}:
        clear(folder, [file.name for file in previews])

    for file in previews:
        file.unlink(missing_ok=True)
