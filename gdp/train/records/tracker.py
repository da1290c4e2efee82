"""The record of a training with --logger; one that goes on from a checkpoint goes on with it."""

import json

from gdp.storage.trackers import TRACKERS, Tracker
from gdp.train.files import rows, write
from gdp.train.training import Training

FILE = "logger.json"  # in the folder of a run: the tracker, and by what it knows the run


def open_record(training: Training, fresh: bool) -> Tracker | None:
    """Open the tracker of --logger.

    Args:
        training: the run.
        fresh: whether it begins, rather than goes on from a checkpoint.

    Returns:
        The tracker; None without --logger.
    """
    args, file = training.args, training.out / FILE
    if args.logger is None:
        return None

    # A run that goes on is the same one to the same tracker
    known = {} if fresh or not file.is_file() else json.loads(file.read_text(encoding="utf-8"))
    key = known["key"] if known.get("logger") == args.logger else ""

    out = training.out.resolve()
    settings = {name: str(value) for name, value in vars(args).items() if value is not None}
    tracker = TRACKERS[args.logger](out.name, settings, out.parent, training.step, key)
    if tracker.key:
        write(file, json.dumps({"logger": args.logger, "key": tracker.key}))
    return tracker


def close_record(tracker: Tracker, training: Training) -> None:
    """Close a tracker with what the run came to: steps, crops, time and its last losses."""
    numbers = {"step": training.step, "images": training.images, "seconds": training.seconds}
    for name, prefix in (("log.jsonl", ""), ("heldout.jsonl", "heldout_")):
        for row in rows(training.out / name)[-1:]:
            numbers |= {f"{prefix}{key}": row[key] for key in ("loss", "mse") if key in row}
    tracker.finish(numbers, "last")
