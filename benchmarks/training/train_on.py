"""The bundled prior trained on in the background, on what this machine has to spare.

    python benchmarks/training/train_on.py --data PHOTOS [--out train_on] [--minutes 600]
    python benchmarks/training/train_on.py --out train_on --stop
    python benchmarks/training/compare.py --data PHOTOS --new train_on/weights.safetensors

    round k    python -m gdp.train --init WEIGHTS_(k-1) --seed k ...    WEIGHTS_0: bundled

One thread at the lowest priority, which goes on after this command has ended. A round is a whole
training, from its peak rate down to none; after one the next begins from its weights. Ended or
killed, the same command goes on from the last checkpoint. OUT/weights.safetensors is what the last
whole round gave. Stop it while anything is timed.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gdp.storage.files import atomic
from gdp.storage.lock import take_lock
from gdp.storage.places import BUNDLED

HERE = Path(__file__).parents[2]
BEGIN = BUNDLED / "photo64.safetensors"

# A low rate, times where restoration spends its calls and 30 % of them evenly, a long average
RECIPE = (
    *("--holdout", "60", "--batch", "32", "--times", "sigma", "--lr", "1.5e-4", "--ema", "0.999"),
    *("--warmup", "50", "--workers", "1", "--samples", "4", "--checkpoint-minutes", "5"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Start, stop, or (as the background process) do the work.

    Returns:
        The exit code: 0 done or begun, 2 bad input.
    """
    args, recipe = arguments().parse_known_args(argv)
    args.out = args.out.absolute()
    if args.stop:
        return stop(args.out)
    if args.data is None or not args.data.is_dir():
        print(f"--data {args.data}; it is the folder of photos to train on", file=sys.stderr)
        return 2
    return work(args, recipe) if args.here else start(args, recipe)


def arguments() -> argparse.ArgumentParser:
    """What the command line takes; other words go to gdp.train, after the recipe's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, help="folder of photos")
    add("--out", type=Path, default=Path("train_on"), help="folder of rounds (%(default)s)")
    add("--minutes", type=float, default=600, help="of a round (%(default)s)")
    add("--rounds", type=int, help="end after so many; left out, when it is stopped")
    add("--init", type=Path, default=BEGIN, help="what the first round begins from (the bundled)")
    add("--stop", action="store_true", help="stop after the step that runs, and keep all")
    add("--here", action="store_true", help="in this process, not in the background")
    return parser


def start(args: argparse.Namespace, recipe: Sequence[str]) -> int:
    """Begin in the background, or go on there."""
    args.out.mkdir(parents=True, exist_ok=True)
    words = ["--data", args.data.absolute(), "--out", args.out, "--minutes", args.minutes]
    words += ["--init", args.init.absolute()]
    words += [] if args.rounds is None else ["--rounds", args.rounds]
    command = [sys.executable, __file__, "--here", *map(str, words), *recipe]

    # A session of its own: it goes on where the terminal closes
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE)}
    with (args.out / "train_on.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=HERE,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    print(f"process {process.pid} trains on in {args.out}; train_on.log there has its words")
    return 0


def work(args: argparse.Namespace, recipe: Sequence[str]) -> int:
    """Train round after round, until stopped."""
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        held = take_lock(args.out / "train_on.lock", args.out)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    stand_back()
    note(args.out / "train_on.pid", str(os.getpid()))

    import torch

    from gdp.train.__main__ import main as train

    torch.set_num_threads(1)
    code = 0
    for k in count(finished(args.out) + 1):
        if args.rounds is not None and k > args.rounds:
            break
        folder = args.out / f"round_{k:03d}"
        begin = args.init if k == 1 else args.out / f"round_{k - 1:03d}" / "weights.safetensors"
        words = ["--data", args.data, "--out", folder, "--init", begin, "--seed", k]
        words += [] if "--steps" in recipe else ["--minutes", args.minutes]
        code = train([*map(str, words), *RECIPE, *recipe])
        if code != 0:
            break
        publish(folder, k)

    (args.out / "train_on.pid").unlink(missing_ok=True)
    os.close(held)
    return 0 if code == 130 else code


def stand_back() -> None:
    """Take only the time that nobody else wants.

    Where Linux shares its time among sessions first (sched_autogroup), a session's own niceness is
    what counts, and it begins at 0.
    """
    os.nice(19)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("19")


def finished(out: Path) -> int:
    """How many rounds are whole."""
    file = out / "rounds.json"
    return len(json.loads(file.read_text())) if file.is_file() else 0


def publish(folder: Path, k: int) -> None:
    """Give the weights of a whole round to the folder above, and note the round."""
    for name in ("config.yaml", "weights.safetensors"):
        with atomic(folder.parent / name) as temporary:
            shutil.copyfile(folder / name, temporary)
    file = folder.parent / "rounds.json"
    rounds = json.loads(file.read_text()) if file.is_file() else []
    note(file, json.dumps([*rounds, folder.name]))


def note(file: Path, text: str) -> None:
    """Replace a small file."""
    with atomic(file) as temporary:
        temporary.write_text(text)


def stop(out: Path) -> int:
    """Let the background process end after its step."""
    file = out / "train_on.pid"
    try:
        os.kill(int(file.read_text()), signal.SIGTERM)
    except (OSError, ValueError):
        print(f"nothing trains in {out}")
    else:
        print(f"the training in {out} ends after its step, with a checkpoint")
    return 0


if __name__ == "__main__":
    sys.exit(main())
