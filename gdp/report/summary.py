"""The reports of a folder, one row a photo: read from its NAME.json files, written as summary.csv."""

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
NEEDED = {
    "output": str,
    "size": list,
    "nfe": int,
    "config": dict,
}  # what tells a report from other people's JSON
KNOWN = {"scores": dict, "choices": dict, "pictures": dict, "panels": dict, "overrides": list}


class Entry(NamedTuple):
    """A photo of a run: its report, or the error it ended with."""

    name: str
    report: dict[str, Any]
    error: str = ""


def entries(
    folder: Path, failed: Mapping[str, str] | None = None, recursive: bool = False
) -> list[Entry]:
    """Every photo that `folder` (`recursive`: or one below it) has a report on, and those that `failed` (name -> error), by name.

    Other files are passed over, and so are hidden folders.
    """
    failed, found = failed or {}, {}
    for file in folder.rglob("*.json") if recursive else folder.glob("*.json"):
        place = file.relative_to(folder)
        if (
            not any(part.startswith(".") for part in place.parts[:-1])
            and (report := read_report(file)) is not None
        ):
            found[place.with_name(file.name.removesuffix(".json")).as_posix()] = report
    names = sorted(found.keys() | failed.keys(), key=natural)
    return [
        Entry(name, {}, failed[name]) if name in failed else Entry(name, found[name])
        for name in names
    ]


def read_report(file: Path) -> dict[str, Any] | None:
    """NAME.json; None where it is something else."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(report, dict) or not all(
        isinstance(report.get(key), kind) for key, kind in NEEDED.items()
    ):
        return None
    if len(report["size"]) != 2 or not all(isinstance(n, int) and n > 0 for n in report["size"]):
        return None
    return {
        key: value for key, value in report.items() if isinstance(value, KNOWN.get(key, object))
    }


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts photo2 before photo10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.lower())
        for part in re.split(r"(\d+)", name)
        if part
    ] + [(2, 0, name)]


def row(entry: Entry) -> dict[str, Any]:
    """An entry's COLUMNS, its scores, and its error."""
    report = entry.report
    if not report:
        return {"name": entry.name, "state": "failed", "error": entry.error}
    choices = report.get("choices") or {}
    values = {
        "name": entry.name,
        "state": "done",
        "size": "x".join(str(n) for n in report["size"]),
        **{group: choices.get(group, "") for group in ("task", "operator", "sampler")},
        "steps": dig(report, "config", "sampler", "schedule", "steps"),
        **{key: report.get(key) for key in ("sigma_y", "seed", "seconds", "nfe", "consistency")},
    }
    return values | scores(report)


def scores(report: Mapping[str, Any]) -> dict[str, float]:
    """The scores that could be given."""
    return {
        name: value
        for name, value in (report.get("scores") or {}).items()
        if isinstance(value, int | float)
    }


def file_of(entry: Entry) -> Path:
    """The restored picture, relative to the folder of the report."""
    return Path(entry.name).parent / (Path(entry.report["output"]).name or entry.name)


def dig(values: Any, *keys: str) -> Any:
    """values[key][key]..., None where there is none."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def columns(rows: Sequence[Mapping[str, Any]], first: Iterable[str] = COLUMNS) -> list[str]:
    """What a table of `rows` has: `first`, whatever scores there are, and the error."""
    known = [*first, *(c for c in COLUMNS if c not in first)]
    return [
        *known,
        *dict.fromkeys(key for r in rows for key in r if key not in known and key != "error"),
        "error",
    ]


def as_csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Comma-separated values, a line each, under a line of names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(
        {key: "" if value is None else value for key, value in r.items()} for r in rows
    )
    return text.getvalue()
