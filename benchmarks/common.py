"""What all benchmarks share: where and how they ran, a table to read, a JSON to keep."""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from gdp.prior.weights import pick_device
from gdp.restore.facts import hardware, versions

ROOT = Path(__file__).resolve().parents[1]


def meta(command: str | None = None) -> dict[str, Any]:
    """Return commit, versions, hardware and command of this run (or the command that is told)."""
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    # The script by its path below the repository's root
    script = Path(sys.argv[0]).resolve()
    name = script.relative_to(ROOT).as_posix() if script.is_relative_to(ROOT) else script.name

    return {
        "command": command or "python " + shlex.join([name, *sys.argv[1:]]),
        "commit": git.stdout.strip() or "unknown",
        "hardware": hardware(pick_device("auto")),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }


def measure_parser(doc: str | None, photos: str, size: int) -> argparse.ArgumentParser:
    """What measures of photos are told: a folder, how many, their size, a file, and overrides.

    Args:
        doc: the measure's description.
        photos: the flag of the folder.
        size: pixels a side, by default.
    """
    p = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(photos, type=Path, required=True)
    p.add_argument("--limit", type=int)
    p.add_argument("--size", type=int, default=size)
    p.add_argument("--json", metavar="FILE")
    p.add_argument("override", nargs="*")
    return p


def save(rows: list[dict], file: str | Path | None, command: str | None = None) -> None:
    """Keep the rows as {"rows": [...], "meta": {...}}, if a file is asked for."""
    if file:
        Path(file).write_text(json.dumps({"rows": rows, "meta": meta(command)}, indent=2) + "\n")


def table(rows: list[dict], columns: Sequence[str]) -> str:
    """Tabulate rows in Markdown, with short numbers."""
    cells = [list(columns)] + [[short(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]

    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def short(value: Any) -> str:
    """Write a number in four significant digits, None as a dash."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
