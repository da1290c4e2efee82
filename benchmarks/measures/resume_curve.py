"""Does a training run that is killed again and again learn as one that is left alone?

    python benchmarks/measures/resume_curve.py PHOTOS

A small network is trained twice with the same command: once undisturbed; once killed with SIGKILL
at random steps, and started again after each. The picture shows both loss curves, what the killed
run lost and did again, and where it was killed.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from gdp.train.files import rows

# Flags of gdp.train: the network, and how it is trained
NETWORK = (
    "--image-size 16 --model-channels 32 --channel-mult 1,2 --attention-downsampling 2 "
    "--num-head-channels 32 --batch 16"
)
SETTINGS = (
    "--device cpu --checkpoint-minutes 0.1 --sample-every 1e9 --samples 1 --lr 1e-3 --workers 1"
)

# Pixels of the picture
WIDTH, HEIGHT, MARGIN = 900, 420, 56
TITLE = (
    "training loss by step: left alone (blue), killed and resumed (black), "
    "kills and what was lost with them, 10 pixels lower (red)"
)


class Kill(NamedTuple):
    """One kill -9.

    Attributes:
        step: the last step on the curve before it.
        checkpoint: the step of the checkpoint.
        lost: rows of the curve that were lost with it.
    """

    step: int
    checkpoint: int
    lost: list[dict]


def command(photos: Path, out: Path, steps: int) -> list[str]:
    """Build the command of the training run."""
    words = ["--data", str(photos), "--out", str(out), "--steps", str(steps)]
    return [sys.executable, "-m", "gdp.train", *words, *f"{NETWORK} {SETTINGS}".split()]


def curve(out: Path) -> list[dict]:
    """Read the whole rows of the loss curve so far."""
    return rows(out / "log.jsonl")


def train_and_kill(photos: Path, out: Path, steps: int, target: int, delay: float) -> Kill:
    """Train until `target` is on the curve and `delay` seconds more, then SIGKILL."""
    words = command(photos, out, steps)
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (out.is_dir() and last(curve(out)) >= target):
        time.sleep(0.05)
    time.sleep(delay)
    if process.poll() is not None:
        raise SystemExit(
            f"the run ended with {process.returncode} before it could be killed; "
            "ask for more --steps"
        )
    process.kill()
    process.wait()

    points, file = curve(out), out / "checkpoint.pt"
    step = torch.load(file, map_location="cpu")["step"] if file.is_file() else 0
    return Kill(last(points), step, [row for row in points if row["step"] > step])


def last(points: Sequence[dict]) -> int:
    """Return the last step on a curve."""
    return points[-1]["step"] if points else 0


def plot(whole: Sequence[dict], resumed: Sequence[dict], kills: Sequence[Kill], path: Path) -> None:
    """Draw both curves of the loss over the steps, on a logarithmic axis, as PNG."""
    losses = torch.tensor([row["loss"] for row in (*whole, *resumed)]).log()
    low, high, end = losses.min().item(), losses.max().item(), max(last(whole), last(resumed))

    def points(run: Sequence[dict], shift: float = 0) -> list[tuple[float, float]]:
        up = ((high - torch.tensor([row["loss"] for row in run]).log()) / (high - low)).tolist()
        return [
            (x(row["step"]), MARGIN + shift + u * (HEIGHT - 2 * MARGIN))
            for row, u in zip(run, up, strict=True)
        ]

    def x(step: int) -> float:
        return MARGIN + step / end * (WIDTH - 2 * MARGIN)

    # Kills and what was lost with them, then the curves
    picture, font = Image.new("RGB", (WIDTH, HEIGHT), "white"), ImageFont.load_default(13)
    draw = ImageDraw.Draw(picture)
    for kill in kills:
        draw.line([(x(kill.step), MARGIN), (x(kill.step), HEIGHT - MARGIN)], "tomato", 1)
        if len(kill.lost) > 1:
            draw.line(points(kill.lost, 10), "tomato", 2)
    draw.line(points(whole), "lightskyblue", 7, joint="curve")
    draw.line(points(resumed), "black", 1)

    # Axes and title
    for i in range(5):
        value = torch.tensor(high + (low - high) * i / 4).exp().item()
        draw.text((6, MARGIN + i / 4 * (HEIGHT - 2 * MARGIN) - 8), f"{value:.2g}", "black", font)
        draw.text((x(end * i // 4) - 12, HEIGHT - MARGIN + 8), f"{end * i // 4}", "black", font)
    draw.rectangle((MARGIN, MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN), outline="gray")
    draw.text((MARGIN, 20), TITLE, "black", font)
    picture.quantize(32).save(path, "PNG", optimize=True)


def main() -> None:
    """Train, kill, resume, compare."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("photos", type=Path)
    p.add_argument("--steps", type=int, default=600)
    p.add_argument("--kills", type=int, default=4)
    p.add_argument("--seed", type=int, default=0, help="of the moments at which it is killed")
    p.add_argument("--png", type=Path, default=Path("resume.png"))
    args = p.parse_args()

    # When it is killed
    chance = random.Random(args.seed)
    targets = sorted(chance.sample(range(args.steps // 10, args.steps * 9 // 10), args.kills))

    # Both runs, and whether they end alike
    with tempfile.TemporaryDirectory() as folder:
        whole, resumed = Path(folder, "whole"), Path(folder, "resumed")
        photos = args.photos.resolve()
        quiet: dict[str, Any] = {"cwd": ROOT, "check": True, "stderr": subprocess.DEVNULL}
        subprocess.run(command(photos, whole, args.steps), **quiet)
        kills = [
            train_and_kill(photos, resumed, args.steps, target, chance.random())
            for target in targets
        ]
        subprocess.run(command(photos, resumed, args.steps), **quiet)
        one, other = curve(whole), curve(resumed)
        same = all(
            (whole / name).read_bytes() == (resumed / name).read_bytes()
            for name in ("weights.safetensors", "config.yaml")
        )

    for kill in kills:
        print(f"killed after step {kill.step}, resumed from {kill.checkpoint}")
    if [row["step"] for row in one] != [row["step"] for row in other]:
        raise SystemExit("the curves have other steps")
    gap = max(abs(a["loss"] - b["loss"]) for a, b in zip(one, other, strict=True))
    weights = "identical" if same else "DIFFERENT"
    print(f"{len(one)} points; largest difference of the losses: {gap:g}; final weights {weights}")
    plot(one, other, kills, args.png)


if __name__ == "__main__":
    main()
