"""Train the network that tells stray light from the darkness of scenes (operators/light/stray).

    python benchmarks/training/stray_light.py --data PHOTOS [--cpu-minutes 75] [--out FILE]
        [--images FOLDER] [--start FILE]

    y = f x^gamma + M + noise     on pictures of 64 x 64 means, cut at black in every other one
    loss = |M' - M|^2 / (mean M^2 + FAINT^2),  M in terms of the white of y

x are parts of photos, their colours changed at random, one of ten grey; f is drawn evenly by its
logarithm, M is nothing, even, or a smooth random map. With --images it tells now and then the
correlation of M found in photos darkened as benchmarks/measures/low_light.py darkens them, of those
at even and at odd places. FILE, by default the one that ships, is replaced at the end. --start goes
on from a file's weights, with other random numbers and a lower rate: what ships had 35 minutes so.
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
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.measures.low_light import FACTORS, NOISE, correlation, darken
from benchmarks.scoring import squares
from benchmarks.training.dark_photos import FAINT, Draw, dark_photos, photos_of
from operators.light.light_model import resized
from operators.light.stray.network import WEIGHTS, StrayNetwork, from_all_sides, shrunk

# Pictures in a step, the highest rate, at first and where it goes on, steps up to it, the memory of
# the average, steps of a report
BATCH, RATE, LATER_RATE, WARM_UP, AVERAGE, REPORT = 24, 1e-3, 6e-4, 200, 0.999, 500


def rated(network: StrayNetwork, photos: Sequence[Tensor]) -> str:
    """Medians of the correlation of M at even and odd places, for each f."""
    words = []
    for f in FACTORS:
        found = []
        for seed, x in enumerate(photos):
            y, M = darken(x, f, seed)
            with torch.no_grad():
                map_ = from_all_sides(network, *shrunk(y, NOISE)[:2])
            found.append(correlation(resized(map_, x.shape[-2:]), M))
        words.append(f"f {f}: {median(found[::2]):.3f}, {median(found[1::2]):.3f}")
    return "; ".join(words)


def train(
    photos: Sequence[Tensor],
    seconds: float,
    judged: Sequence[Tensor] = (),
    start: dict[str, Tensor] | None = None,
) -> StrayNetwork:
    """The network after so many seconds of the CPU: the average over its last steps.

    Args:
        photos: what it learns from, [3, H, W] bytes.
        seconds: of the CPU.
        judged: what it is rated by now and then, [1, 3, H, W].
        start: weights to go on from.
    """
    torch.manual_seed(0)
    network, draw, losses = StrayNetwork(), Draw(0 if start is None else 1), []
    if start is not None:
        network.load_state_dict(start)
    highest = RATE if start is None else LATER_RATE
    average = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)

    step, began = 0, time.process_time()
    while (spent := (time.process_time() - began) / seconds) < 1:
        rate = highest * min(1.0, step / WARM_UP) * (1 + math.cos(math.pi * spent)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        u, noise, M = dark_photos(photos, draw, BATCH)
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
    p.add_argument("--cpu-minutes", type=float, default=75)
    p.add_argument("--out", type=Path, default=WEIGHTS)
    p.add_argument("--images", type=Path, help="photos by which it is judged")
    p.add_argument("--start", type=Path, help="weights to go on from")
    args = p.parse_args()

    try:
        photos = photos_of(args.data)
        judged = squares(args.images, None, 128) if args.images else []
        start = {k: v.float() for k, v in load_file(args.start).items()} if args.start else None
    except (OSError, ValueError, SafetensorError) as error:
        p.exit(2, f"error: {error}\n")
    if not photos:
        p.exit(2, f"error: no photos in {args.data}; --data is the folder to train on\n")

    network = train(photos, 60 * args.cpu_minutes, judged, start)
    save_file({k: v.half().contiguous() for k, v in network.state_dict().items()}, args.out)
    print(f"{len(photos)} photos, {rated(network, judged) if judged else 'done'}: {args.out}")


if __name__ == "__main__":
    main()
