"""Other projects' own code beside ours, in one table: a user's checkout of DDNM or GDP.

    python benchmarks/peers.py --repo FOLDER --images DIR --tasks sr4,colorize
        [--samplers auto@20,ddnm@100] [--steps 100] [--limit 2] --out FOLDER

Their scripts are run unchanged, in a process of their own, on our network (checkouts/shim.py); no
file of the checkout is changed, and none of it is part of this project. Photos are the centre
256x256, the only size that the scripts take; y has its own draw of noise there. A task for which a
project has no script has no row of it. The rows, and going on after a kill, are those of
benchmarks/quality.py.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import quality
from benchmarks.checkouts.checkout import SIDE, Checkout, Job
from benchmarks.checkouts.ddnm import Ddnm
from benchmarks.checkouts.gdp import Gdp
from benchmarks.common import table
from benchmarks.rows import Archive, build_setup
from benchmarks.scoring import case, inverted, squares, summary
from gdp.prior.prior import Prior
from gdp.restore.setup import Setup

KNOWN: tuple[type[Checkout], ...] = (Ddnm, Gdp)


def main(arguments: list[str] | None = None) -> None:
    """Make our rows, then theirs; print and keep the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--repo", type=Path, required=True, metavar="FOLDER", help="the checkout")
    add("--images", required=True, help="folder of clean photos, at least 256x256")
    add("--tasks", default="sr4,colorize")
    add("--samplers", default="auto@20,ddnm@100", help="ours, with network calls after @")
    add("--steps", type=int, default=100, help="of theirs (100)")
    add("--skip", type=int, default=0, help="pass over the first N photos by name")
    add("--limit", type=int, help="the first N of the others")
    add("--prior", default="photo64")
    add("--out", type=Path, required=True, metavar="FOLDER")
    args = parser.parse_args(arguments)

    try:
        checkout = recognised(args.repo)
        ours = quality.chosen(
            args.images,
            **{"tasks": args.tasks, "samplers": args.samplers, "nfe": "20", "size": SIDE},
            **{"skip": args.skip, "limit": args.limit, "prior": args.prior, "out": args.out},
        )
        rows = [*quality.run(ours), *theirs(checkout, ours, args.steps)]
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(table(rows, quality.COLUMNS))
    quality.keep(rows, args.out)


def recognised(folder: Path) -> Checkout:
    """The project whose checkout a folder is.

    Raises:
        ValueError: of none that is known.
    """
    for kind in KNOWN:
        if kind.is_at(folder):
            return kind(folder)
    names = " and ".join(f"{kind.name} ({kind.marks[0]}, {kind.marks[1]})" for kind in KNOWN)
    raise ValueError(f"--repo {folder} holds no code that is known; known are {names}")


def theirs(checkout: Checkout, args: argparse.Namespace, steps: int) -> list[dict]:
    """A row of each task for which the checkout has a script."""
    archive, rows = Archive(args), []
    photos = squares(args.images, args.limit, args.size, args.skip)
    prior = None

    for task in args.tasks.split(","):
        if not checkout.can(task):
            print(f"{task}: {checkout.name} has no script for it", file=sys.stderr)
            continue
        kept = archive.find(task, checkout.name, str(steps))
        if kept is None:
            setup = setup_of(task, args.prior)
            prior = prior or setup.load_prior()
            kept = [{"task": task, **row(checkout, task, photos, steps, args.prior, prior)}]
            archive.add(task, checkout.name, str(steps), kept)
        rows += kept
    return rows


def setup_of(task: str, prior: str) -> Setup:
    """A task in one pass, with our operator."""
    name, *settings = task.split(":")
    words = [f"task={name}", f"prior={prior}", "lowres=none", *settings]
    return build_setup(words, "baselines")


def row(
    checkout: Checkout, task: str, photos: list[Tensor], steps: int, name: str, prior: Prior
) -> dict:
    """Score what a script makes of the photos."""
    c = case(setup_of(task, name), torch.cat(photos), list(range(len(photos))), prior)
    plain = inverted(c)
    small = [] if plain is None else list(plain.clamp(0, 1).split(1))

    with tempfile.TemporaryDirectory() as work:
        job = Job(task, photos, small, steps, name, Path(work))
        began = time.perf_counter()
        x = torch.cat(checkout.restore(job))
        scores = summary([(c, [x], time.perf_counter() - began)])
        nfe = checkout.calls(job)

    # With noise its y was another draw than ours.
    if ":" in task:
        scores["consistency"] = None
    return {"sampler": checkout.name, "steps": steps, "nfe": nfe, **scores}


if __name__ == "__main__":
    with torch.no_grad():
        main()
