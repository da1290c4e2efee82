"""The reports of a folder, one row a photo: read from its NAME.json files, for summary.csv."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = (
    "name",
    "state",
    "size",
    "task",
    "operator",
    "sampler",
    "steps",
    "sigma_y",
    "seed",
    "seconds",
    "nfe",
    "consistency",
)
MEAN = "mean"  # the last row of a table of several photos

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets run
# What tells a report from other people's JSON, and what else must be of its type to be used.
NEEDED = {"output": str, "size": list, "nfe": int, "config": dict}
OPTIONAL = {
    **dict.fromkeys(("scores", "scores_of_input", "choices", "pictures", "panels"), dict),
    "overrides": list,
}


class Entry(NamedTuple):
    """A photo of a run.

    Attributes:
        name: what its results are called, relative to the folder.
        report: what NAME.json holds; empty where the photo failed.
        error: what it ended with, where it failed.
    """

    name: str
    report: dict[str, Any]
    error: str = ""


def entries(
    folder: Path, failed: Mapping[str, str] | None = None, recursive: bool = False
) -> list[Entry]:
    """List the photos of a folder's reports, and those that failed.

    Args:
        folder: where the reports lie; other files and hidden folders are passed over.
        failed: the error of each photo that failed, by name.
        recursive: whether reports of folders below count too.

    Returns:
        The photos by name, photo2 before photo10.
    """
    failed, reports = failed or {}, {}
    for file in folder.rglob("*.json") if recursive else folder.glob("*.json"):
        place = file.relative_to(folder)
        if any(part.startswith(".") for part in place.parts[:-1]):
            continue
        if (report := read_report(file)) is not None:
            reports[place.with_name(file.name.removesuffix(".json")).as_posix()] = report

    return [
        Entry(name, {}, failed[name]) if name in failed else Entry(name, reports[name])
        for name in sorted(reports.keys() | failed.keys(), key=natural)
    ]


def read_report(file: Path) -> dict[str, Any] | None:
    """The content of NAME.json without what is of a wrong type; None where it is no report."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None

    if not isinstance(report, dict):
        return None
    if not all(isinstance(report.get(key), kind) for key, kind in NEEDED.items()):
        return None
    if len(report["size"]) != 2 or not all(isinstance(n, int) and n > 0 for n in report["size"]):
        return None

    return {k: value for k, value in report.items() if isinstance(value, OPTIONAL.get(k, object))}


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts photo2 before photo10."""
    parts = [part for part in re.split(r"(\d+)", name) if part]
    return [
        *((0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in parts),
        (2, 0, name),
    ]


def row_of(entry: Entry) -> dict[str, Any]:
    """An entry's COLUMNS and its scores; name, state and error where it failed."""
    report = entry.report
    if not report:
        return {"name": entry.name, "state": "failed", "error": entry.error}

    choices, scores = report.get("choices") or {}, report.get("scores") or {}
    before = report.get("scores_of_input") or {}
    return {
        "name": entry.name,
        "state": "done",
        "size": "x".join(str(n) for n in report["size"]),
        **{group: choices.get(group, "") for group in ("task", "operator", "sampler")},
        "steps": nested(report, "config", "sampler", "schedule", "steps"),
        **{key: report.get(key) for key in ("sigma_y", "seed", "seconds", "nfe", "consistency")},
        **{name: value for name, value in scores.items() if isinstance(value, int | float)},
        **{f"input_{k}": value for k, value in before.items() if isinstance(value, int | float)},
    }


def mean_row(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The mean of every score over the photos that have it; None where there is nothing to average.

    Args:
        rows: of photos, as `row_of` gives them.
    """
    scored = [
        row
        for row in rows
        if any(isinstance(value, int | float) for key, value in row.items() if key not in COLUMNS)
    ]
    if len(scored) < 2:
        return None

    row: dict[str, Any] = {"name": MEAN, "state": f"of {len(scored)}"}
    for key in dict.fromkeys(key for one in scored for key in one if key not in COLUMNS):
        values = [one[key] for one in scored if isinstance(one.get(key), int | float)]
        row[key] = sum(values) / len(values)
    return row


def file_of(entry: Entry) -> Path:
    """The restored picture, relative to the folder of the report."""
    return Path(entry.name).parent / (Path(entry.report["output"]).name or entry.name)


def nested(values: Any, *keys: str) -> Any:
    """values[key][key]..., None where there is none."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def columns(rows: Sequence[Mapping[str, Any]], first: Iterable[str] = COLUMNS) -> list[str]:
    """The columns of a table.

    Args:
        rows: its rows.
        first: names of the columns at the left.

    Returns:
        `first`, the rest of COLUMNS, whatever scores there are, and the error.
    """
    known = dict.fromkeys([*first, *COLUMNS])
    scores = dict.fromkeys(key for row in rows for key in row if key not in (*known, "error"))
    return [*known, *scores, "error"]


def as_csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Write rows as comma-separated values, a line each, under a line of the columns' names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "" if value is None else plain(value) for key, value in row.items()})
    return text.getvalue()


def plain(value: Any) -> Any:
    """A cell that spreadsheets take for what it is: text that begins as a formula gets a '."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
