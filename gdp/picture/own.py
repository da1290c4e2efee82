"""Which pictures in a folder are results of this program, so that they are no inputs.

Each result has a report beside it, NAME.json, that lists its files. A preview lies there before the
report does, and is known by its name; so are the sheets of sweeps.
"""

import json
from collections.abc import Iterable
from pathlib import Path

BESIDE = (".compare", ".preview")  # what follows a photo's name in pictures that are made of it
SHEET, PAGE = "sheet.png", "index.html"
NOTES = ".gdp"  # of a run that is on, or was interrupted


def results_among(files: Iterable[Path]) -> set[Path]:
    """Those of the files that this program has made."""
    folders: dict[Path, list[Path]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)

    made = set()
    for folder, there in folders.items():
        listed, unfinished = files_of_reports(folder), (folder / NOTES).is_dir()
        for file in there:
            base = Path(file.stem)
            reported = unfinished or (folder / f"{base.stem}.json").is_file()
            beside = base.suffix in BESIDE and reported
            sheet = file.name == SHEET and (folder / PAGE).is_file()
            if file.name in listed or beside or sheet:
                made.add(file)
    return made


def files_of_reports(folder: Path) -> set[str]:
    """The names of the files that the reports in a folder list."""
    names: set[str] = set()
    for report in folder.glob("*.json"):
        try:
            content = json.loads(report.read_text(encoding="utf-8", errors="replace"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict) and "output" in content and "versions" in content:
            suffixes = content.get("files")
            names |= {
                f"{report.stem}{suffix}"
                for suffix in (suffixes if isinstance(suffixes, list) else [])
            }
    return names
