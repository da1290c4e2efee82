"""The command line of gdp.train: its flags, group by group, and the kinds of numbers they take."""

import argparse
import os
from pathlib import Path


def numbers(text: str) -> list[float]:
    """Read numbers such as "1,1,2,4"; whole ones become int."""
    return [int(x) if (x := float(part)).is_integer() else x for part in text.split(",") if part]


def count(text: str) -> int:
    """Read a whole number of 1 or more."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}; it must be 1 or more")
    return int(text)


def amount(text: str) -> float:
    """Read a number of 0 or more."""
    if not float(text) >= 0:
        raise argparse.ArgumentTypeError(f"{text}; it must be 0 or more")
    return float(text)


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text}; it must be between 0 and 1")
    return float(text)


def parser() -> argparse.ArgumentParser:
    """Build the command line of `python -m gdp.train`."""
    p = argparse.ArgumentParser(
        "python -m gdp.train",
        description="Train an unconditional diffusion prior on a folder of photos.",
    )

    add_run_flags(p)
    add_data_flags(p)
    add_network_flags(p)
    add_optimisation_flags(p)
    add_watch_flags(p)

    return p


def add_run_flags(p: argparse.ArgumentParser) -> None:
    """Add what a run reads and writes, and when it ends."""
    p.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder of photos of any size, searched recursively",
    )
    p.add_argument("--out", type=Path, help="folder of results; a checkpoint there is resumed")

    budget = p.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=count, help="train for so many steps (deterministic)")
    budget.add_argument(
        "--minutes",
        type=amount,
        help="train for so long; time in which the process is stopped does not count",
    )

    p.add_argument(
        "--init",
        type=Path,
        metavar="WEIGHTS",
        help="go on from weights; config.yaml beside them, or flags that fit",
    )
    p.add_argument(
        "--evaluate",
        type=Path,
        nargs="+",
        metavar="WEIGHTS",
        help="only print the held-out loss of these weights",
    )


def add_data_flags(p: argparse.ArgumentParser) -> None:
    """Add which photos are trained on, and what crops of them make a batch."""
    data = p.add_argument_group("data")

    # Photos, and how they are cropped
    data.add_argument(
        "--holdout", type=int, help="photos never trained on (a twentieth, 40 at most)"
    )
    data.add_argument(
        "--native",
        type=share,
        default=0.5,
        help="share of crops at native resolution, others shrink (%(default)s)",
    )
    data.add_argument("--no-flip", action="store_true", help="do not mirror crops")

    data.add_argument(
        "--crops",
        choices=("auto", "threads", "device"),
        default="auto",
        help="crops are cut by threads, or on the device at scales in steps of 2^(1/3) "
        "(auto: on a GPU)",
    )

    # Memory and threads
    data.add_argument(
        "--cache-mb", type=amount, default=4096, help="memory for decoded photos (%(default)s)"
    )
    data.add_argument(
        "--workers",
        type=count,
        default=min(8, os.cpu_count() or 1),
        help="threads that draw crops (%(default)s)",
    )

    # Sizes and numbers of crops
    data.add_argument(
        "--size-ladder",
        help="crop sizes with their share of the training: 32:0.5,64:0.5 or 32:0.5:64,64:0.5:16",
    )
    data.add_argument(
        "--batch",
        type=count,
        default=16,
        help="crops per step, of --image-size, over all GPUs (%(default)s)",
    )


def add_network_flags(p: argparse.ArgumentParser) -> None:
    """Add the shape of the UNet, and its diffusion process."""
    net = p.add_argument_group(
        "network (default: 13 million parameters; that of --init may have more res blocks, "
        "smaller channel_mult)"
    )

    net.add_argument("--image-size", type=count, help="side of a full crop")
    net.add_argument("--model-channels", type=count)
    net.add_argument("--num-res-blocks", type=count)
    net.add_argument("--channel-mult", type=numbers, help="width of each level: 1,1,2,4")
    net.add_argument(
        "--attention-downsampling",
        type=numbers,
        help="factors below full size with attention: 8; '' for none",
    )
    net.add_argument("--num-head-channels", type=count)

    net.add_argument("--noise-schedule", choices=("linear", "cosine"))
    net.add_argument("--diffusion-steps", type=count)


def add_optimisation_flags(p: argparse.ArgumentParser) -> None:
    """Add the constants of AdamW, the averaged weights, and where they are computed."""
    fit = p.add_argument_group("optimisation")

    fit.add_argument("--lr", type=amount, default=2e-4, help="peak learning rate (%(default)s)")
    fit.add_argument("--warmup", type=int, default=100, help="steps of warm-up (%(default)s)")
    fit.add_argument("--weight-decay", type=amount, default=0.0)
    fit.add_argument("--clip", type=amount, default=1.0, help="largest gradient norm (%(default)s)")
    fit.add_argument(
        "--ema", type=share, default=0.9995, help="decay of the averaged weights (%(default)s)"
    )

    fit.add_argument(
        "--times",
        choices=("uniform", "sigma"),
        default="uniform",
        help="times drawn evenly, or most of them at noise of .03 to 3 (%(default)s)",
    )

    fit.add_argument("--seed", type=int, default=0)
    fit.add_argument("--device", default="auto", help="auto, cpu, cuda")
    fit.add_argument("--compile", action="store_true", help="torch.compile the network")
    fit.add_argument("--graphs", action="store_true", help="with --compile: CUDA graphs, too")


def add_watch_flags(p: argparse.ArgumentParser) -> None:
    """Add when the run shows and saves itself, and what its sheets and card hold."""
    watch = p.add_argument_group("watching")

    # When
    watch.add_argument(
        "--checkpoint-minutes",
        type=amount,
        default=10,
        help="time between checkpoints (%(default)s)",
    )
    watch.add_argument(
        "--sample-every",
        type=amount,
        default=30,
        help="minutes between sheets and held-out losses (%(default)s)",
    )
    watch.add_argument("--sample-steps", type=count, help="steps between them, instead of minutes")

    # Where its numbers go besides log.jsonl and heldout.jsonl
    watch.add_argument(
        "--logger",
        choices=("csv", "tensorboard", "wandb", "mlflow"),
        help="csv (a line in runs.csv beside --out), tensorboard (in --out), wandb or mlflow",
    )

    # What
    watch.add_argument("--samples", type=count, default=16, help="images on a sheet (%(default)s)")
    watch.add_argument(
        "--eta",
        type=share,
        default=0.0,
        help="DDIM's eta on sheets; fresh noise (0.85) suits short runs (%(default)s)",
    )
    watch.add_argument(
        "--notes",
        type=Path,
        metavar="FILE",
        help="Markdown to add to the model card: licences of the photos, limits",
    )
