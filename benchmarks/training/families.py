"""Families of networks, each trained from nothing for the same CPU time: what a second buys.

    python benchmarks/training/families.py --data PHOTOS [--minutes 6] [--only adm,gated] [--json F]

    adm             the bundled shape: ADM's UNet, full convolutions (gdp/network/unet.py)
    adm_even        the same of one width
    adm_door        adm behind space-to-depth: 2x2 pixels are 12 channels in and 24 out
    gated           NAFNet's blocks (Chen et al., ECCV 2022): depth-wise, gates in place of SiLU,
                    with the time's scale and shift after each normalization
    shared          adm_even, whose levels share their ResBlocks' weights

One thread, float32, torch's plain operations for all, equal crops, times, noise and rates. Held-out
eps MSE by noise on 60 other photos; milliseconds of one call (CPU time, the least of some), and
those by our own kernels where the family has blocks that they know.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from benchmarks.training.networks import FAMILIES
from gdp.network.blocks import ResBlock
from gdp.network.kernels.cpu_library import library
from gdp.prior.schedule import betas
from gdp.train.arguments import parser as training_parser
from gdp.train.data import batches, ladder
from gdp.train.loss import RESTORED, HybridLoss, heldout_errors
from gdp.train.photos import Photos
from gdp.train.setup import DEFAULT_CONFIG, load_photos
from gdp.train.trainer import average, learning_rate

LADDER = "32:0.7:16,64:0.3:8"  # crop sizes: their share of the time, and crops in a batch
RATE, WARMUP, DECAY = 1e-3, 50, 0.995
SIDES = (64, 128, 256)  # of the calls that are timed
BANDS = 5  # of noise, in the table
LOW, HIGH = RESTORED
CPU = torch.device("cpu")


def trained(net: nn.Module, photos: Photos, loss: HybridLoss, seconds: float) -> dict[str, Any]:
    """Train a network for so many seconds of CPU time; its average, steps and crops."""
    rungs = ladder(LADDER, 64, 16, 8)
    ema = deepcopy(net).eval().requires_grad_(False)
    adam = torch.optim.AdamW(net.parameters(), RATE, weight_decay=0.0, fused=True)
    step, crops, progress, began = 0, 0, 0.0, time.process_time()

    def plan(_: int) -> tuple[int, int]:
        rung = next((r for r in rungs if progress < r.end), rungs[-1])
        return rung.size, rung.items

    with closing(batches(photos, 0, 0, plan, 0, 1, workers=1)) as data:
        while progress < 1:
            x0, eps, u = next(data)
            adam.param_groups[0]["lr"] = learning_rate(RATE, step, WARMUP, progress)
            loss(net, x0, loss.drawn_times(u), eps)[0].backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            adam.step()
            adam.zero_grad(set_to_none=True)
            average(ema, net, DECAY, step)
            step, crops = step + 1, crops + len(x0)
            progress = (time.process_time() - began) / seconds
    return {"net": ema, "steps": step, "crops": crops}


@torch.inference_mode()
def call_ms(net: nn.Module, side: int, rounds: int = 7) -> float:
    """CPU milliseconds of one call on one picture, the least of some."""
    x = torch.randn(1, 3, side, side).contiguous(memory_format=torch.channels_last)
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        net(x, torch.tensor([300.0]))
        spent.append(time.process_time() - began)
    return 1000 * min(spent)


def row(name: str, photos: tuple[Photos, Photos], seconds: float) -> dict[str, Any]:
    """Train and measure a family."""
    torch.manual_seed(0)
    net = FAMILIES[name]().to(memory_format=torch.channels_last)
    loss = HybridLoss(betas(**DEFAULT_CONFIG["diffusion"]), "sigma")
    made = trained(net, photos[0], loss, seconds)
    ema = made.pop("net")

    # By equal parts of the noise's logarithm, and the mean over all
    items = photos[1].held_out(64, BANDS)
    errors = heldout_errors(ema, loss, items, loss.restored_times, CPU).view(-1, BANDS).mean(0)
    millions = sum(p.numel() for p in ema.parameters()) / 1e6
    found = {"family": name, "millions": millions, **made, "mean": float(errors.mean())}
    for k, error in enumerate(errors.tolist()):
        edges = (LOW * (HIGH / LOW) ** (i / BANDS) for i in (k, k + 1))
        found["noise {:.2g}-{:.2g}".format(*edges)] = error
    return {**found, **speeds(ema)}


def speeds(net: nn.Module) -> dict[str, float]:
    """Milliseconds of a call by the picture's side, by torch's operations and by our kernels."""
    found = {f"ms {side}": call_ms(net, side) for side in SIDES}
    if any(isinstance(part, ResBlock) for part in net.modules()):
        with kernels("1"):
            found |= {f"ours {side}": call_ms(net, side) for side in SIDES}
    return found


@contextmanager
def kernels(wanted: str) -> Iterator[None]:
    """Allow kernels of our own ("1"), or torch's operations alone ("0")."""
    before = os.environ.get("GDP_KERNELS")
    os.environ["GDP_KERNELS"] = wanted
    library.cache_clear()
    try:
        yield
    finally:
        os.environ.pop("GDP_KERNELS")
        if before is not None:
            os.environ["GDP_KERNELS"] = before
        library.cache_clear()


def main(argv: Sequence[str] | None = None) -> None:
    """Train each family, and print the table after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", required=True, help="folder of photos")
    add("--holdout", type=int, default=60, help="photos to measure with (%(default)s)")
    add("--minutes", type=float, default=6, help="of CPU time for each (%(default)s)")
    add("--only", default=",".join(FAMILIES), help="families (%(default)s)")
    add("--json", metavar="FILE")
    args = parser.parse_args(argv)

    torch.set_num_threads(1)
    words = ["--data", args.data, "--holdout", str(args.holdout)]
    photos = load_photos(training_parser().parse_args(words))
    rows = []
    for name in args.only.split(","):
        with kernels("0"):
            rows.append(row(name, photos, 60 * args.minutes))
        save(rows, args.json)
    print(table(rows, list(dict.fromkeys(name for row in rows for name in row))))


if __name__ == "__main__":
    main()
