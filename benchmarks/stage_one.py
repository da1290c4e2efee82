"""What stage_one= brings: a small network for enlarging 4 times, trained here, and what it does.

    python -m benchmarks.stage_one train PHOTOS small.pth       minutes on one core
    python -m benchmarks.stage_one measure small.pth PHOTOS     the table of docs/stage_one.md

The network is Real-ESRGAN's compact one (16 layers there, 6 here), its file as trainings of that
write it; trained with L1 on block means of crops of photos. It needs the extra stage_one.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F
from torch import Tensor

import gdp
from gdp.picture import read

CROP, BATCH, RATE = 64, 16, 1e-3  # pixels of a crop of the photo, crops of a step, of learning
SIDE = 128  # pixels of the middle of each photo that is measured


def crops(photos: list[Tensor], generator: torch.Generator) -> Tensor:
    """BATCH crops [B, 3, CROP, CROP] of photos [1, 3, H, W], turned at random."""
    taken = []
    for _ in range(BATCH):
        photo = photos[int(torch.randint(len(photos), (1,), generator=generator))]
        top, left = (
            int(torch.randint(n - CROP + 1, (1,), generator=generator)) for n in photo.shape[-2:]
        )
        crop = photo[..., top : top + CROP, left : left + CROP]
        taken.append(crop.rot90(int(torch.randint(4, (1,), generator=generator)), (-2, -1)))
    return torch.cat(taken)


def train(folder: Path, target: Path, steps: int, scale: int = 4) -> None:
    """Train the network on the photos of a folder and write its file."""
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    photos = [read(file).pixels for file in sorted(folder.glob("*.*"))]
    photos = [photo for photo in photos if min(photo.shape[-2:]) >= CROP]
    torch.manual_seed(0)
    net = SRVGGNetCompact(num_feat=32, num_conv=6, upscale=scale)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    decay = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)

    generator, began = torch.Generator().manual_seed(0), time.perf_counter()
    for step in range(steps):
        x = crops(photos, generator)
        loss = (net(F.avg_pool2d(x, scale)) - x).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        decay.step()
        if step % 250 == 0:
            print(
                f"step {step}: L1 {float(loss.detach()):.4f}, {time.perf_counter() - began:.0f} s"
            )
    torch.save({"params": net.state_dict()}, target)


def measure(weights: Path, folder: Path, first: int, count: int) -> None:
    """Print a table: dB, SSIM, and consistency of ways to enlarge the middle of every other photo.

    Args:
        weights: the network's.
        folder: photos.
        first: 0 or 1, which half of them.
        count: how many.
    """
    ways: dict[str, dict[str, Any]] = {
        "sampler=auto": {},
        "network alone": {"stage_one": str(weights), "fidelity": 0.0},
        "stage_one=": {"stage_one": str(weights)},
        "stage_one=, fidelity=.5": {"stage_one": str(weights), "fidelity": 0.5},
    }
    names = ("psnr", "ssim")
    print("| way | PSNR | SSIM | rms(A x - y) | calls |\n|---|---|---|---|---|")
    for way, settings in ways.items():
        rows = []
        for file in sorted(folder.glob("*.*"))[first::2][:count]:
            photo = read(file).pixels
            H, W = photo.shape[-2:]
            top, left = (H - SIDE) // 2, (W - SIDE) // 2
            middle = photo[..., top : top + SIDE, left : left + SIDE]
            report = gdp.restore(middle, task="sr4", degrade=True, **settings).report
            scores = [report["scores"][name] for name in names]
            rows.append([*scores, report["consistency"], report["nfe"]])
        mean = torch.tensor(rows).mean(0).tolist()
        print(
            f"| {way} | {mean[0]:.2f} | {mean[1]:.3f} | {mean[2]:.1e} | {mean[3]:.1f} |", flush=True
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    what = parser.add_subparsers(dest="what", required=True)
    of_training = what.add_parser("train")
    of_training.add_argument("photos", type=Path)
    of_training.add_argument("target", type=Path)
    of_training.add_argument("--steps", type=int, default=3000)
    of_measure = what.add_parser("measure")
    of_measure.add_argument("weights", type=Path)
    of_measure.add_argument("photos", type=Path)
    of_measure.add_argument("--first", type=int, default=1)
    of_measure.add_argument("--count", type=int, default=8)

    args = parser.parse_args()
    if args.what == "train":
        train(args.photos, args.target, args.steps)
    else:
        measure(args.weights, args.photos, args.first, args.count)


if __name__ == "__main__":
    main()
