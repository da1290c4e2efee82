"""Broken and odd files through the program: each gives a result, or one line that says why not.

    python benchmarks/fuzz.py [--out figures.json]

Every file of benchmarks/odd_files is found, read, restored with a cheap prior (two steps) and
written, in formats that take turns. A violation is printed, and the exit code is 1: another kind of
error, a message without the file's name or of several lines, an unreadable result, a file left
behind, a changed input, more than 10 seconds or 256 MB.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common import save, table
from benchmarks.odd_files import EITHER, REFUSED, RESTORED, Case, corpus
from gdp.picture import find_photos, read, to_image, to_model, write
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.identity import Identity
from samplers.ddnm import DDNM

# Formats of results, which take turns
FORMATS = ("png", "jpg", "webp", "tif", "bmp")
# The most that a file may cost
SECONDS, MEGABYTES = 10.0, 256.0


class Figure(NamedTuple):
    """What became of a case.

    Attributes:
        name: of the case.
        outcome: restored, refused, or the violation.
        words: of a refusal.
        seconds: how long it took.
        megabytes: by how much the process's memory grew at its peak.
    """

    name: str
    outcome: str
    words: str
    seconds: float
    megabytes: float


def restore(file: Path, target: Path) -> None:
    """Take a photo through the program, with a prior and a sampler that cost nothing."""
    photo = read(find_photos(file)[0])
    operator = Identity().with_noise(0.1)
    with torch.no_grad():
        result = DDNM(schedule=Schedule(steps=2))(GaussianPrior(), operator, to_model(photo.pixels))
    write(to_image(result.x), target, photo, keep_exif=True)


def run(case: Case, folder: Path, suffix: str) -> Figure:
    """Run one case in an empty folder of its own."""
    file, output = folder / "input" / case.name, folder / "output"
    file.parent.mkdir(parents=True)
    output.mkdir()
    file.write_bytes(case.data)
    target = output / f"{file.stem}.{suffix}"

    # Restored, refused, or an error of another kind
    before, began, words = reset_peak(), time.perf_counter(), ""
    try:
        restore(file, target)
        outcome = RESTORED
    except (ValueError, OSError) as error:
        outcome, words = REFUSED, str(error)
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    seconds, grown = time.perf_counter() - began, peak() - before

    # The result can be read, the refusal is one line
    left = [p.name for p in sorted(output.iterdir())]
    if outcome == RESTORED:
        try:
            read(target)
        except Exception as error:
            outcome = f"the result cannot be read: {error}"
    if outcome == REFUSED and ("\n" in words or case.name not in words or len(words) > 600):
        outcome = f"not said in a line: {words!r}"

    # It came out as it must, and left nothing else
    if case.expected not in (EITHER, outcome):
        outcome = f"{outcome}, not {case.expected}: {words}"
    if left != ([target.name] if outcome == RESTORED else []) and outcome in (RESTORED, REFUSED):
        outcome = f"left behind: {left}"
    if file.read_bytes() != case.data or len(list(file.parent.iterdir())) != 1:
        outcome = "the input was changed"
    if seconds > SECONDS or grown > MEGABYTES:
        outcome = f"took {seconds:.1f} s and {grown:.0f} MB"

    return Figure(case.name, outcome, words, seconds, grown)


def run_all(cases: Sequence[Case], folder: Path) -> list[Figure]:
    """Run all cases.

    Two of them are run once more before, so that what imports cost is not counted.
    """
    for case in cases:
        if case.name in ("deep.png", "deep.tif"):
            run(case, folder / f"warm_{case.name}", "png")
    return [run(case, folder / str(i), FORMATS[i % len(FORMATS)]) for i, case in enumerate(cases)]


def reset_peak() -> float:
    """Forget the process's peak of memory, where the system lets it; return what is held, in MB."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> float:
    """Return the most memory the process has held since `reset_peak`, in MB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        unit = 2**20 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def summary(figures: Sequence[Figure]) -> dict:
    """Count outcomes, and find the extremes."""
    counts = Counter(
        f.outcome if f.outcome in (RESTORED, REFUSED) else "violations" for f in figures
    )
    slow, large = max(figures, key=lambda f: f.seconds), max(figures, key=lambda f: f.megabytes)

    return {
        "files": len(figures),
        RESTORED: counts[RESTORED],
        REFUSED: counts[REFUSED],
        "violations": counts["violations"],
        "seconds": sum(f.seconds for f in figures),
        "slowest": f"{slow.name} {slow.seconds:.2f} s",
        "largest": f"{large.name} {large.megabytes:.0f} MB",
    }


def main() -> int:
    """Run it; return 1 where something is violated."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="JSON of all figures")
    parser.add_argument("--words", action="store_true", help="print every refusal")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        figures = run_all(list(corpus()), Path(folder))
    for figure in figures:
        if figure.outcome not in (RESTORED, REFUSED):
            print(f"{figure.name}: {figure.outcome}")
        elif args.words and figure.words:
            print(figure.words)

    facts = summary(figures)
    print(table([facts], list(facts)))
    save([facts, *(f._asdict() for f in figures)], args.out)
    return 1 if facts["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
