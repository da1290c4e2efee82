"""Train the network that tells stray light from the darkness of scenes (operators/light/stray).

    python benchmarks/training/stray_light.py --data PHOTOS [--cpu-minutes 22] [--out FILE]
        [--images FOLDER]

    y = f x^gamma + M + noise     on pictures of 64 x 64 means, cut at black in every other one
    loss = |M' - M|^2 / (mean M^2 + FAINT^2),  M in terms of the white of y

x are parts of photos, their colours changed at random, one of ten grey; f is drawn evenly by its
logarithm, M is nothing, even, or a smooth random map. With --images it tells now and then the
correlation of M found in photos darkened as benchmarks/measures/low_light.py darkens them, of those
at even and at odd places. FILE, by default the one that ships, is replaced at the end.
"""

import argparse
import copy
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Generator, Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.measures.low_light import FACTORS, NOISE, correlation, darken
from benchmarks.scoring import squares
from gdp.picture import find_photos, read
from operators.light.light_model import resized
from operators.light.stray.network import (
    GRID,
    MOST,
    SIDE,
    WEIGHTS,
    StrayNetwork,
    normalised,
    shrunk,
)

# The shorter side of the photos that are kept in memory, and of the parts that are looked at.
SHORT, PARTS = 160, (64, 157)

# f, the std of noise on the small picture, and how many times that it was before it was shrunk
F_RANGE, NOISE_RANGE, SHRUNK = (0.03, 0.6), (5e-4, 0.015), (1.0, 8.0)

# Chances of no M and of an even one, and the grids of the others
NONE, EVEN, GRIDS = 0.2, 0.1, (2, 3, 4, 4, 4, 5)

# How little M is told from none, in terms of white; chance of a grey photo; most change of colours
FAINT, GREY, TINT = 0.08, 0.1, 0.125

# Pictures in a step, the highest rate, steps up to it, the memory of the average, steps of a report
BATCH, RATE, WARM_UP, AVERAGE, REPORT = 24, 1e-3, 200, 0.999, 500


class Draw:
    """Random numbers by one seed."""

    def __init__(self, seed: int):
        self.generator = Generator().manual_seed(seed)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers from 0 to 1."""
        return torch.rand(shape, generator=self.generator)

    def normal(self, *shape: int) -> Tensor:
        """Numbers of mean 0 and std 1."""
        return torch.randn(shape, generator=self.generator)

    def below(self, n: int) -> int:
        """A whole number from 0, below n."""
        return int(torch.randint(n, (), generator=self.generator))

    def by_log(self, n: int, ends: tuple[float, float]) -> Tensor:
        """[n, 1, 1, 1] between two numbers, evenly by their logarithms."""
        low, high = (math.log(end) for end in ends)
        return (low + (high - low) * self.uniform(n, 1, 1, 1)).exp()


def photos_of(folder: Path) -> list[Tensor]:
    """The photos of a folder, [3, H, W] bytes, their shorter sides SHORT."""
    photos = []
    for file in find_photos(folder):
        x = read(file).pixels
        scale = SHORT / min(x.shape[-2:])
        size = [max(SHORT, round(side * scale)) for side in x.shape[-2:]]
        photos.append((255 * F.interpolate(x, size, mode="area")[0]).byte())
    return photos


def scene(photos: Sequence[Tensor], draw: Draw) -> Tensor:
    """A part of a photo, [1, 3, SIDE, SIDE] in [0, 1]."""
    photo = photos[draw.below(len(photos))]
    low, high = PARTS
    side = round(low * (high / low) ** float(draw.uniform()))
    top, left = (draw.below(n - side + 1) for n in photo.shape[-2:])
    x = F.interpolate(photo[None, :, top : top + side, left : left + side] / 255, SIDE, mode="area")
    return x.flip(-1) if draw.uniform() < 0.5 else x


def veil(draw: Draw) -> Tensor:
    """M [1, 1, SIDE, SIDE]."""
    kind, most = float(draw.uniform()), MOST * float(draw.uniform())
    if kind < NONE + EVEN:
        level = 0.0 if kind < NONE else most * float(draw.uniform())
        return torch.full((1, 1, SIDE, SIDE), level)
    side = GRIDS[draw.below(len(GRIDS))]
    coarse = draw.uniform(1, 1, side, side)
    return most * F.interpolate(coarse, SIDE, mode="bicubic").clamp(0, 1)


def dark_photos(photos: Sequence[Tensor], draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
    """u, noise and M / top of a step, as the network and its loss take them."""
    n = BATCH
    x = torch.cat([scene(photos, draw) for _ in range(n)])
    x = (x * (1 + TINT * (2 * draw.uniform(n, 3, 1, 1) - 1))).clamp(0, 1)
    z, grey = draw.normal(n, 3, SIDE, SIDE), draw.uniform(n, 1, 1, 1) < GREY
    x, z = torch.where(grey, x.mean(1, keepdim=True), x), torch.where(grey, z[:, :1], z)

    # In dark places noise was cut at black before it was averaged.
    M = torch.cat([veil(draw) for _ in range(n)])
    y = draw.by_log(n, F_RANGE) * x ** (0.9 + 0.2 * draw.uniform(n, 1, 1, 1)) + M
    std = draw.by_log(n, NOISE_RANGE)
    before = std * draw.by_log(n, SHRUNK)
    q = y / before
    density = (-q.square() / 2).exp() / (2 * math.pi) ** 0.5
    y = torch.where(draw.uniform(n, 1, 1, 1) < 0.5, y * torch.special.ndtr(q) + before * density, y)

    u, top = normalised(y + std * z)
    return u, (std / top).flatten(), F.adaptive_avg_pool2d(M / top, GRID)


def rated(network: StrayNetwork, photos: Sequence[Tensor]) -> str:
    """Medians of the correlation of M at even and odd places, for each f."""
    words = []
    for f in FACTORS:
        found = []
        for seed, x in enumerate(photos):
            y, M = darken(x, f, seed)
            with torch.no_grad():
                map_ = network(*shrunk(y, NOISE)[:2])
            found.append(correlation(resized(map_, x.shape[-2:]), M))
        words.append(f"f {f}: {median(found[::2]):.3f}, {median(found[1::2]):.3f}")
    return "; ".join(words)


def train(photos: Sequence[Tensor], seconds: float, judged: Sequence[Tensor]) -> StrayNetwork:
    """The network after so many seconds of the CPU: the average over its last steps."""
    torch.manual_seed(0)
    network, draw, losses = StrayNetwork(), Draw(0), []
    average = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)

    step, began = 0, time.process_time()
    while (spent := (time.process_time() - began) / seconds) < 1:
        rate = RATE * min(1.0, step / WARM_UP) * (1 + math.cos(math.pi * spent)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        u, noise, M = dark_photos(photos, draw)
        off = (network(u, noise) - M).square().mean((1, 2, 3))
        loss = (off / (M.square().mean((1, 2, 3)) + FAINT**2)).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

        step += 1
        losses.append(float(loss.detach()))
        share = max(1 - AVERAGE, 50 / (step + 50))
        for kept, new in zip(average.parameters(), network.parameters(), strict=True):
            kept.lerp_(new.detach(), share)
        if step % REPORT == 0:
            told = rated(average, judged) if judged else ""
            print(f"{step} steps, {spent:.0%}: {fmean(losses[-REPORT:]):.4f}; {told}", flush=True)
    return average


def main() -> None:
    """Parse, train, save."""
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--data", type=Path, required=True, help="folder of photos")
    p.add_argument("--cpu-minutes", type=float, default=22)
    p.add_argument("--out", type=Path, default=WEIGHTS)
    p.add_argument("--images", type=Path, help="photos by which it is judged")
    args = p.parse_args()

    try:
        photos = photos_of(args.data)
        judged = squares(args.images, None, 128) if args.images else []
    except (OSError, ValueError) as error:
        p.exit(2, f"error: {error}\n")
    if not photos:
        p.exit(2, f"error: no photos in {args.data}; --data is the folder to train on\n")

    network = train(photos, 60 * args.cpu_minutes, judged)
    save_file({k: v.half().contiguous() for k, v in network.state_dict().items()}, args.out)
    print(f"{len(photos)} photos, {rated(network, judged) if judged else 'done'}: {args.out}")


if __name__ == "__main__":
    main()
