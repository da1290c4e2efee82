"""Does a training run that is killed again and again learn as one that is left alone?   python benchmarks/measures/resume_curve.py PHOTOS

A small network is trained twice with the same command: once undisturbed; once killed with SIGKILL at random steps, and started
again after each. The picture shows both loss curves, what the killed run lost and did again, and where it was killed.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from gdp.train.files import rows

NET = "--image-size 16 --model-channels 32 --channel-mult 1,2 --attention-downsampling 2 --num-head-channels 32 --batch 16"
HOW = "--device cpu --checkpoint-minutes 0.1 --sample-every 1e9 --samples 1 --lr 1e-3 --workers 1"
WIDTH, HEIGHT, MARGIN = 900, 420, 56


class Kill(NamedTuple):
    """One kill -9: the last step seen before it, the step of the checkpoint, and the rows that were lost with it."""

    seen: int
    kept: int
    lost: list[dict]


def command(photos: Path, out: Path, steps: int) -> list[str]:
    """The training run."""
    return [
        sys.executable,
        "-m",
        "gdp.train",
        "--data",
        str(photos),
        "--out",
        str(out),
        "--steps",
        str(steps),
        *f"{NET} {HOW}".split(),
    ]


def curve(out: Path) -> list[dict]:
    """Whole rows of the loss curve so far."""
    return rows(out / "log.jsonl")


def killed(photos: Path, out: Path, steps: int, target: int, delay: float) -> Kill:
    """Train until `target` is on the curve and `delay` seconds more, then SIGKILL."""
    process = subprocess.Popen(command(photos, out, steps), cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (out.is_dir() and last(curve(out)) >= target):
        time.sleep(0.05)
    time.sleep(delay)
    if process.poll() is not None:
        raise SystemExit(
            f"the run ended with {process.returncode} before it could be killed; ask for more --steps"
        )
    process.kill()
    process.wait()
    seen, checkpoint = curve(out), out / "checkpoint.pt"
    kept = torch.load(checkpoint, map_location="cpu")["step"] if checkpoint.is_file() else 0
    return Kill(last(seen), kept, [row for row in seen if row["step"] > kept])


def last(points: Sequence[dict]) -> int:
    """The last step on a curve."""
    return points[-1]["step"] if points else 0


def plot(whole: Sequence[dict], resumed: Sequence[dict], kills: Sequence[Kill], path: Path) -> None:
    """Both curves of the loss over the steps, on a logarithmic axis, as PNG."""
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

    picture, font = Image.new("RGB", (WIDTH, HEIGHT), "white"), ImageFont.load_default(13)
    draw = ImageDraw.Draw(picture)
    for kill in kills:
        draw.line([(x(kill.seen), MARGIN), (x(kill.seen), HEIGHT - MARGIN)], "tomato", 1)
        if len(kill.lost) > 1:
            draw.line(points(kill.lost, 10), "tomato", 2)
    draw.line(points(whole), "lightskyblue", 7, joint="curve")
    draw.line(points(resumed), "black", 1)
    for i in range(5):
        value = torch.tensor(high + (low - high) * i / 4).exp().item()
        draw.text((6, MARGIN + i / 4 * (HEIGHT - 2 * MARGIN) - 8), f"{value:.2g}", "black", font)
        draw.text((x(end * i // 4) - 12, HEIGHT - MARGIN + 8), f"{end * i // 4}", "black", font)
    draw.rectangle((MARGIN, MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN), outline="gray")
    title = "training loss by step: left alone (blue), killed and resumed (black), kills and what was lost with them, 10 pixels lower (red)"
    draw.text((MARGIN, 20), title, "black", font)
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
    chance = random.Random(args.seed)
    targets = sorted(chance.sample(range(args.steps // 10, args.steps * 9 // 10), args.kills))
    with tempfile.TemporaryDirectory() as folder:
        whole, resumed = Path(folder, "whole"), Path(folder, "resumed")
        photos = args.photos.resolve()
        subprocess.run(
            command(photos, whole, args.steps), cwd=ROOT, check=True, stderr=subprocess.DEVNULL
        )
        kills = [killed(photos, resumed, args.steps, target, chance.random()) for target in targets]
        subprocess.run(
            command(photos, resumed, args.steps), cwd=ROOT, check=True, stderr=subprocess.DEVNULL
        )
        one, other = curve(whole), curve(resumed)
        same = all(
            (whole / name).read_bytes() == (resumed / name).read_bytes()
            for name in ("weights.safetensors", "config.yaml")
        )
    for kill in kills:
        print(f"killed after step {kill.seen}, resumed from {kill.kept}")
    if [row["step"] for row in one] != [row["step"] for row in other]:
        raise SystemExit("the curves have other steps")
    gap = max(abs(a["loss"] - b["loss"]) for a, b in zip(one, other, strict=True))
    print(
        f"{len(one)} points; largest difference of the losses: {gap:g}; final weights {'identical' if same else 'DIFFERENT'}"
    )
    plot(one, other, kills, args.png)


if __name__ == "__main__":
    main()
