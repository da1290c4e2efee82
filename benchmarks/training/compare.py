"""Whether new weights may ship: no part of held-out loss and tasks worse, the mean better.

    python benchmarks/training/compare.py --data PHOTOS --new WEIGHTS [--old WEIGHTS]
        [--images DIR] [--limit 6] [--size 96] [--json FILE] [--ship]

    loss     eps MSE by tenths of the diffusion time, and over the noise where restoration works, on
             the photos of PHOTOS that no training saw, with equal crops, times and noise for both
    tasks    PSNR and HaarPSI of what the program makes of DIR's photos (scikit-image's), by default

Exit code 0 where they may ship, 1 where not. --ship then puts them in the bundled ones' place, with
their sha256, and names what else speaks of the old.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import quality
from benchmarks.common import save, table
from benchmarks.field import pictures
from benchmarks.rows import OWN, Measure
from benchmarks.scoring import squares
from gdp.prior.schedule import betas
from gdp.storage.files import atomic
from gdp.storage.fingerprint import sha256
from gdp.storage.places import BUNDLED
from gdp.train.arguments import parser as training_parser
from gdp.train.loss import BUCKETS, HybridLoss, heldout_errors
from gdp.train.setup import build, configure, load_photos

ROOT = Path(__file__).parents[2]
OLD = BUNDLED / "photo64.safetensors"
SETTING = ROOT / "conf" / "prior" / "photo64.yaml"
TASKS = "sr4,inpaint_random,deblur,denoise:sigma_y=0.1,denoise:sigma_y=0.05"

# By how much a part may be worse and count as no worse: rounding to float16 and a CPU's kernels
OF_LOSS, OF_PSNR, OF_HAARPSI = 0.002, 0.005, 0.0005  # relative; dB; as it is


class Part(NamedTuple):
    """One number of the comparison."""

    name: str
    old: float
    new: float
    worse: bool
    kind: str = "loss"  # or psnr, haarpsi; of each kind there is one mean


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, print, and ship where that was asked for and may be."""
    parser = arguments()
    args = parser.parse_args(argv)
    try:
        parts = losses(args.data, args.holdout, args.old, args.new)
        if args.limit:
            images = args.images or pictures(args.new.parent / "photos")
            parts += tasks(images, args)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")

    # Both, the means, and what follows
    against = reasons(parts)
    print(table([shown(part) for part in parts], ["part", "old", "new", "change", "worse"]))
    print("They may not ship: " + "; ".join(against) if against else "They may ship.")
    save([part._asdict() for part in parts], args.json)
    if args.ship and not against:
        ship(args.new)
    return int(bool(against))


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="the photos of the training")
    add("--new", type=Path, required=True, help="weights with their config.yaml")
    add("--old", type=Path, default=OLD, help="what they are compared with (the bundled ones)")
    add("--holdout", type=int, default=60, help="photos that no training saw (%(default)s)")
    add("--images", type=Path, help="clean photos for the tasks (scikit-image's)")
    add("--tasks", default=TASKS, help="as of benchmarks/quality.py (%(default)s)")
    add("--limit", type=int, default=6, help="so many of them; 0: the loss alone (%(default)s)")
    add("--size", type=int, default=96, help="their centre crops' side (%(default)s)")
    add("--json", metavar="FILE")
    add("--ship", action="store_true", help="put them in the bundled ones' place, if they may be")
    return parser


def losses(data: Path, holdout: int, old: Path, new: Path) -> list[Part]:
    """Compare the held-out losses."""
    words = ["--data", str(data), "--holdout", str(holdout), "--device", "cpu"]
    args = training_parser().parse_args(words)
    _, held_out = load_photos(args)

    found = []
    for weights in (old, new):
        config = configure(args, weights)
        net = build(config, weights).eval()
        loss = HybridLoss(betas(**config["diffusion"]))
        items = held_out.held_out(config["image_size"], BUCKETS)
        cpu = torch.device("cpu")
        by_time = heldout_errors(net, loss, items, loss.times, cpu).view(-1, BUCKETS).mean(0)
        restored = heldout_errors(net, loss, items, loss.restored_times, cpu).mean()
        found.append([*by_time.tolist(), float(restored)])

    names = [f"t / T {k / BUCKETS:.1f}-{(k + 1) / BUCKETS:.1f}" for k in range(BUCKETS)]
    names.append("noise .03-2")
    return [
        Part(name, before, after, after > before * (1 + OF_LOSS))
        for name, before, after in zip(names, *found, strict=True)
    ]


def tasks(images: Path, args: argparse.Namespace) -> list[Part]:
    """Compare what the program restores with either."""
    old, new = (scores(images, weights, args) for weights in (args.old, args.new))
    parts = []
    for task in args.tasks.split(","):
        for kind, least in (("psnr", OF_PSNR), ("haarpsi", OF_HAARPSI)):
            before, after = old[task][kind], new[task][kind]
            parts.append(Part(f"{task} {kind}", before, after, after < before - least, kind))
    return parts


def scores(images: Path, weights: Path, args: argparse.Namespace) -> Mapping[str, dict]:
    """Restore with some weights, by the program's defaults; a row for each task."""
    chosen = quality.chosen(
        images,
        **{"size": args.size, "limit": args.limit, "prior": "custom"},
        override=[f"prior.path={weights.absolute()}", "prior.symmetry=square"],
    )
    photos = squares(images, args.limit, args.size, 0)
    measure = Measure(chosen, photos)
    with torch.no_grad():
        return {task: measure.rows(task, "auto", OWN)[0] for task in args.tasks.split(",")}


def shown(part: Part) -> dict[str, str]:
    """A row for people: losses to five places, with their change in per cent."""
    digits = 2 if part.kind == "psnr" else 5 if part.kind == "loss" else 4
    change = part.new - part.old
    return {
        "part": part.name,
        "old": f"{part.old:.{digits}f}",
        "new": f"{part.new:.{digits}f}",
        "change": f"{change / part.old:+.2%}" if part.kind == "loss" else f"{change:+.{digits}f}",
        "worse": "worse" if part.worse else "",
    }


def reasons(parts: Sequence[Part]) -> list[str]:
    """Say what speaks against the new weights; nothing where they may ship."""
    against = [f"{part.name} is worse" for part in parts if part.worse]
    for kind in dict.fromkeys(part.kind for part in parts):
        of_kind = [part for part in parts if part.kind == kind]
        gain = sum(part.new - part.old for part in of_kind) * (-1 if kind == "loss" else 1)
        if gain <= 0:
            against.append(f"the mean {kind} is no better")
    return against


def ship(weights: Path) -> None:
    """Bundle weights, and say what else names the ones before."""
    before, now = sha256(OLD), sha256(weights)
    with atomic(OLD) as temporary:
        shutil.copyfile(weights, temporary)
    text = SETTING.read_text().replace(before, now)
    with atomic(SETTING) as temporary:
        temporary.write_text(text)
    print(f"{OLD} is sha256 {now}; its MODEL_CARD.md and tests name {before[:12]} still")


if __name__ == "__main__":
    sys.exit(main())
