"""Odd words through the command line: each is taken, or refused in one line.

    python benchmarks/fuzz_settings.py [--every 7] [--first 300] [--words]

Every word of benchmarks/odd_settings.py is added to a line that restores a small photo in a step. A
violation is printed, and the exit code is 1: a traceback, another exit code than 0, 1 (a name that
is not known) or 2, more than a line for a refusal, or a result that a refused line has left.
"""

import argparse
import contextlib
import io
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.odd_settings import odd_words
from gdp import cli

LINE = ("input=p.png", "task=denoise", "steps=1", "sigma_y=0.05", "noise=white", "report=false")
CODES = (0, 1, 2)
LONGEST = 1200  # characters of a refusal


class Figure(NamedTuple):
    """What became of a word: taken, refused, or the violation; and what was said."""

    word: str
    outcome: str
    said: str


def run(word: str, number: int) -> Figure:
    """Run the line with a word more, in the current folder."""
    output, errors, argv = f"o{number}", io.StringIO(), sys.argv
    sys.argv = ["run.py", *LINE, f"output={output}", word]
    if word.partition("=")[0] in ("input", "task", "steps", "sigma_y", "noise", "report"):
        sys.argv = [one for one in sys.argv if not one.startswith(f"{word.partition('=')[0]}=")]
        sys.argv.append(word)
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code: object = cli.main()
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException as error:
        return Figure(word, f"{type(error).__name__}: {error}", "")
    finally:
        sys.argv = argv

    # What is said, without the bar.
    lines = [line.rpartition("\r")[2] for line in errors.getvalue().splitlines()]
    said = [line for line in lines if line.strip() and "%|" not in line]
    if code not in CODES or any("Traceback" in line for line in said):
        return Figure(word, f"exit code {code}", "\n".join(said))
    if code == 0:
        return Figure(word, "taken", "\n".join(said))
    told = [line for line in said if line.startswith("error: ")]
    raw = any("verbose=true tells more" in line for line in told)  # Python's words, not ours
    if len(told) != 1 or raw or len(told[0]) > LONGEST or Path(output).exists():
        return Figure(word, "not refused in a line", "\n".join(said))
    return Figure(word, "refused", told[0])


def run_all(words: Sequence[str], folder: Path) -> Iterator[Figure]:
    """Run all words in a folder, with a small photo in it; each is told when it is through."""
    before = Path.cwd()
    pixels = np.random.default_rng(0).integers(90, 160, (16, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "p.png")
    os.chdir(folder)
    try:
        for number, word in enumerate(words):
            yield run(word, number)
    finally:
        os.chdir(before)


def main() -> int:
    """Run it; return 1 where something is violated."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="take every n-th word only")
    parser.add_argument("--first", type=int, default=0, help="leave out the words before it")
    parser.add_argument("--words", action="store_true", help="print every refusal")
    args = parser.parse_args()

    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for figure in run_all(list(odd_words())[args.first :: args.every], Path(folder)):
            fine = figure.outcome in ("taken", "refused")
            counts[figure.outcome if fine else "bad"] += 1
            if args.words or not fine:
                said = figure.said[: 200 if fine else 600]
                print(f"{figure.word!r:.80}: {figure.outcome}: {said}", flush=True)

    print(
        f"{counts.total()} words: {counts['taken']} taken, {counts['refused']} refused in a line, "
        f"{counts['bad']} neither"
    )
    return 1 if counts["bad"] else 0


if __name__ == "__main__":
    sys.exit(main())
