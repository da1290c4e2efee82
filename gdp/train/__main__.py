"""Train an unconditional prior: python -m gdp.train --data FOLDER --out FOLDER --minutes 600.

`out` then holds weights.safetensors (EMA, fp16) with its config.yaml, which `prior=custom` loads,
MODEL_CARD.md, sheets of samples, the curves log.jsonl and heldout.jsonl, and checkpoint.pt, from
which the same command goes on after any end, kill -9 included. Several GPUs:
accelerate launch -m gdp.train ... (pip install accelerate).
Exit codes: 0 done, 2 bad input, 130 stopped.

    flags -> Training (gdp/train/training.py): network, photos, counters; checkpoint
             Trainer (gdp/train/trainer.py): draw, loss, step, average
             Watch (gdp/train/watch.py): curves, sheets, card, after each of the trainer's steps
"""

import errno
import logging
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from gdp.prior.schedule import betas
from gdp.prior.weights.device import pick_device
from gdp.storage.trackers import check
from gdp.train.arguments import parser
from gdp.train.files import table
from gdp.train.loss import BUCKETS, HybridLoss, heldout_errors, heldout_mse
from gdp.train.machine import bf16, pick_machine
from gdp.train.setup import build, configure, load_photos
from gdp.train.trainer import Trainer
from gdp.train.training import Training
from gdp.train.watch import Watch

log = logging.getLogger("gdp.train")


def evaluate(args: Namespace) -> None:
    """Print the held-out losses of several weights, on the same crops, times and noise.

    By diffusion time, and in the mean over the noise at which restorations spend their calls.

    Raises:
        ValueError: no photos are held out.
    """
    device = pick_device(args.device)
    _, held_out = load_photos(args)
    if not held_out.files:
        raise ValueError(f"no photos are held out of {args.data}; give --holdout 40, or fewer")
    size = args.image_size or configure(args, args.evaluate[0])["image_size"]
    items = held_out.held_out(size, BUCKETS)
    columns, restored = {}, {}

    for weights in args.evaluate:
        config = configure(args, weights)
        net = build(config, weights).to(device).eval()
        loss = HybridLoss(betas(**config["diffusion"])).to(device)
        with bf16(device):
            columns[str(weights)] = heldout_mse(net, loss, items, BUCKETS, device)
            errors = heldout_errors(net, loss, items, loss.restored_times, device)
        restored[str(weights)] = float(errors.mean())

    sys.stdout.write(table(columns, restored))


def train(args: Namespace) -> bool:
    """Train a prior.

    Returns:
        Whether the end of the budget was reached.

    Raises:
        ValueError: flags are missing, or do not fit the data or one another.
    """
    if args.out is None or not (args.steps or args.minutes):
        raise ValueError("training needs --out FOLDER and --steps N or --minutes M")
    if args.out.resolve().is_relative_to(args.data.resolve()):
        raise ValueError(
            f"--out {args.out} lies in --data {args.data}, so its sheets would become data; "
            "put it elsewhere"
        )
    check(args.logger, "--logger ")

    machine = pick_machine(args.device)
    if machine.device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True

    training = Training(args, machine)
    trainer = Trainer(training)
    with stoppable(training):
        fresh = not training.resume()

        # Only the first process shows and writes
        if machine.is_main_process:
            watch = Watch(training, fresh)
            with watch.bar() as bar:
                for _ in trainer.steps():
                    watch.tend(bar)
            watch.finish()
        else:
            for _ in trainer.steps():
                pass

    return not training.stopped


@contextmanager
def stoppable(training: Training) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop a run after the current step; a second one stops it at once."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore(*_: Any) -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def stop(*_: Any) -> None:
        training.stopped = True
        restore()

    for number in handlers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        restore()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code: 0 done, 2 bad input, 130 stopped.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args = parser().parse_args(argv)

    try:
        if args.evaluate:
            evaluate(args)
            return 0
        return 0 if train(args) else 130
    except OSError as error:
        full = (
            "the disk is full; free some space and run the same command again, "
            f"it goes on from the last checkpoint in {args.out}"
        )
        log.error("%s", full if error.errno == errno.ENOSPC else error)
    except ValueError as error:
        log.error("%s", error)
    return 2


if __name__ == "__main__":
    sys.exit(main())
