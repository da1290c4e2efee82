"""Ctrl-C at every moment of a run, from its start to its end.

    python benchmarks/stops.py [--every 0.1] [--signals 1]

A folder of three photos is restored, anew for each moment, and stopped there. Each run ends with
exit code 130 and one line that is no traceback, or with 0 where it was through; the folder holds
whole results only, and the same line once more restores what is left. A violation is printed, and
the exit code is 1.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SIDE, PHOTOS, STEPS = 48, 3, 12
LONGEST = 120.0  # seconds of a run
FIRST = 0.3  # seconds that Python itself may take to start: before that a stop is Python's


class Outcome(NamedTuple):
    """What became of a run that was stopped."""

    moment: float  # seconds after its start
    code: int
    lines: list[str]  # of stderr, without the bar
    fault: str  # empty: as it should be


def words(photos: Path, output: Path) -> list[str]:
    """The command line."""
    return [
        sys.executable,
        str(ROOT / "run.py"),
        *("task=denoise", "sigma_y=0.1", f"steps={STEPS}", "sampler=ddnm", "device=cpu"),
        *(f"input={photos}", f"output={output}", "batch=1"),
    ]


def photos_in(folder: Path) -> Path:
    """Three small photos."""
    folder.mkdir()
    with Image.open(ROOT / "gdp" / "picture" / "samples" / "cat.png") as cat:
        for k in range(PHOTOS):
            cat.convert("RGB").crop((8 * k, 8, 8 * k + SIDE, 8 + SIDE)).save(folder / f"{k}.png")
    return folder


def heed() -> None:
    """Have Ctrl-C heeded from the start: a shell's background jobs begin by ignoring it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def stop_at(moment: float, photos: Path, output: Path, signals: int = 1) -> Outcome:
    """Stop a run at a moment, and look at what it says and leaves."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        words(photos, output),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=photos,
        start_new_session=True,
        preexec_fn=heed,
    )
    time.sleep(moment)
    for _ in range(signals):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
    try:
        _, err = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        return Outcome(moment, -9, [], "it went on")

    # The bar rewrites its line; what remains is said.
    text = err.decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip() and "%" not in line]
    fault = fault_of(process.returncode, lines, text, output)
    return Outcome(moment, process.returncode, lines, fault)


def fault_of(code: int, lines: list[str], text: str, output: Path) -> str:
    """What is wrong with the end of a run; empty: nothing."""
    if code not in (0, 130):
        return f"exit code {code}: {text[-300:]}"
    if "Traceback" in text or "Exception" in text:
        return f"a traceback: {text[-300:]}"
    if code == 130 and sum(line.startswith("stopped") for line in lines) != 1:
        return f"not one line: {lines}"

    # A result is whole: its report comes last, and its picture is there then.
    for report in output.glob("*.json"):
        if not report.with_suffix(".png").is_file():
            return f"{report.name} without its picture"
    unfinished = list(output.glob("**/*.part")) if output.is_dir() else []
    return f"left behind: {unfinished}" if unfinished else ""


def finish(photos: Path, output: Path) -> str:
    """Give the same line once more; what is wrong then."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        words(photos, output), capture_output=True, env=environment, cwd=photos, check=False
    )
    results = [f for f in output.glob("*.png") if f.stem.isdecimal()]
    if done.returncode or len(results) != PHOTOS:
        return f"the same line again: {done.returncode}, {len(results)} results"
    return ""


def main() -> int:
    """Stop at every moment; return 1 where something is violated."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=float, default=0.1, help="seconds between two moments")
    parser.add_argument("--signals", type=int, default=1, help="of a stop")
    parser.add_argument("--first", type=float, default=FIRST)
    args = parser.parse_args()

    faults, moment, ended = 0, args.first, False
    with tempfile.TemporaryDirectory() as folder:
        photos = photos_in(Path(folder) / "photos")
        while not ended:
            output = Path(folder) / f"out{round(1000 * moment)}"
            outcome = stop_at(moment, photos, output, args.signals)
            fault = outcome.fault or finish(photos, output)
            ended = outcome.code == 0
            faults += bool(fault)
            print(f"{moment:5.2f} s: {outcome.code} {fault or 'as it should be'}", flush=True)
            moment += args.every
    print(f"{faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
