"""A prior trained from nothing in calls of minutes, each of which goes on where the last one ended.

    python benchmarks/training/nothing.py --data PHOTOS --kept FOLDER [--total MINUTES] ...

    FOLDER/checkpoint.pt.*         all that the training goes on from, in shards under 16 MiB
    FOLDER/weights.safetensors.*   the averaged weights, for `prior=custom`, with config.yaml beside

The rate falls to nothing at the end of --total minutes, over all calls: with the minutes of those
that are certain, each run of some calls ends in weights that are good to use, and the next, with
more of them, learns on. Other words go to gdp.train. --join FILE only puts the weights together.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.training.shards import join, split

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "gdp" / "picture" / "samples"
SHARDED = ("checkpoint.pt", "weights.safetensors")
BESIDE = ("config.yaml", "MODEL_CARD.md", "log.jsonl", "heldout.jsonl")
NAME = "training from nothing"  # a call's, without its number
MINUTES = 8  # of training in a call; the rest is compiling, checkpoints and shards
STOPPING = 40  # seconds that the last step, a checkpoint and its shards take
WELL = (0, 130)  # exit codes of gdp.train: done, or stopped

# Forms of the network in training, the fastest first; where one fails the next is tried
FORMS: tuple[tuple[str, ...], ...] = (("--compile", "--graphs"), ("--compile",), ())

# bf16 is what gdp.train computes in on a GPU
RECIPE = (
    *("--batch", "512", "--size-ladder", "32:0.3:2048,64:0.5:512,128:0.2:128"),
    *("--times", "sigma", "--lr", "6e-4", "--ema", "0.9995", "--warmup", "500", "--holdout", "60"),
    *("--checkpoint-minutes", "5", "--sample-every", "1000"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Make one call.

    Returns:
        The exit code: 0 done or time is up, 2 bad input, others as gdp.train's.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, default=SAMPLES, help="folder of photos (the bundled samples)")
    add("--kept", type=Path, required=True, help="folder of the shards")
    add("--seconds", type=float, default=540, help="of this call (%(default)s)")
    add("--plain", action="store_true", help="neither compiled nor in CUDA graphs")
    add("--total", type=float, default=9, help="minutes of training, all calls (%(default)s)")
    add("--call", type=int, help="its number, noted once it is well")
    add("--join", type=Path, metavar="FILE", help="only write the averaged weights there")
    args, recipe = parser.parse_known_args(argv)
    if args.join is not None:
        return join_weights(args.kept, args.join)

    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "nothing"
        try:
            fetch(args.kept, out)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        words = ["--data", args.data.absolute(), "--out", out]
        own = [] if "--steps" in recipe else ["--minutes", args.total]
        command = [*map(str, [*words, *own]), *RECIPE, *recipe]

        # A form that fails costs its time only
        until, code = time.monotonic() + args.seconds, 1
        for form in FORMS[-1:] if args.plain else FORMS:
            code = train([*command, *form], until - time.monotonic())
            if code in (*WELL, 2):
                break
        if code in WELL:
            keep(out, args.kept)
            if args.call is not None:
                (args.kept / "calls.txt").write_text(str(args.call))
    return 0 if code in WELL else code


def calls(
    data: Path, kept: Path, number: int, device: str, seconds: float, small: bool
) -> list[tuple[str, list[str]]]:
    """The next calls of a training, as steps of benchmarks/gpu_run.py: names and words.

    Args:
        data: folder of photos.
        kept: folder of the shards; it knows the calls before.
        number: of calls.
        device: what they run on.
        seconds: of a call.
        small: two steps each, of a tiny network.
    """
    made = kept / "calls.txt"
    before = int(made.read_text()) if made.is_file() else 0
    last = before + number

    words = ["benchmarks/training/nothing.py", "--data", str(data.absolute())]
    words += ["--kept", str(kept.absolute()), "--device", device]
    words += ["--total", str(last * MINUTES), "--seconds", str(seconds)]
    if small:
        words += ["--plain", "--batch", "2", "--size-ladder", "32:1:2", "--image-size", "32"]
        words += ["--model-channels", "32", "--channel-mult", "1,2", "--num-res-blocks", "1"]
        words += ["--holdout", "0", "--samples", "1"]

    found = []
    for k in range(before + 1, last + 1):
        steps = ["--steps", str(2 * k)] if small else []
        found.append((f"{NAME} {k}", [*words, *steps, "--call", str(k)]))
    return found


def join_weights(kept: Path, file: Path) -> int:
    """Write the averaged weights of the last call to a file, with their config.yaml."""
    if not join("weights.safetensors", kept, file):
        print(f"{kept} has no weights yet", file=sys.stderr)
        return 2
    shutil.copyfile(kept / "config.yaml", file.with_name("config.yaml"))
    return 0


def fetch(kept: Path, out: Path) -> None:
    """Put together what the calls before have left.

    Raises:
        ValueError: shards are missing or damaged.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in SHARDED:
        join(name, kept, out / name)
    for name in BESIDE:
        if (kept / name).is_file():
            shutil.copyfile(kept / name, out / name)


def keep(out: Path, kept: Path) -> None:
    """Leave what the next call goes on from."""
    kept.mkdir(parents=True, exist_ok=True)
    for name in SHARDED:
        if (out / name).is_file():
            split(out / name, kept)
    for file in (*(out / name for name in BESIDE), *sorted(out.glob("samples_*.png"))[-1:]):
        if file.is_file():
            shutil.copyfile(file, kept / file.name)


def train(words: Sequence[str], seconds: float) -> int:
    """Train, and ask for an end where the call's time is up."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "gdp.train", *words], cwd=ROOT, env=env)
    try:
        return process.wait(max(1.0, seconds - STOPPING))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)  # it ends after its step, with a checkpoint
        return process.wait()
    finally:
        if process.poll() is None:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
