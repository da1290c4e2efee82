"""Which photos of a folder are finished, and which files are in the way."""

import json
import os
from pathlib import Path

from gdp.folder.items import Item
from gdp.folder.saving import FOLDERS, beside, result_file, suffixes
from gdp.restore.setup import Setup
from gdp.storage.fingerprint import same_photo


def finished(
    item: Item, folder: Path, setup: Setup, settings: str, began: int | None
) -> Path | None:
    """Find the result of the same photo with the same settings.

    Args:
        item: the photo.
        folder: where results are.
        setup: with overwrite=true only a result counts that this run made before it was killed.
        settings: the settings' fingerprint.
        began: when this run began then, in nanoseconds since 1970; None if it was not killed.

    Returns:
        The result's file; None where there is none, or it is of another photo or other settings.
    """
    target = folder / item.name
    report = target.with_name(f"{target.name}.json")
    if not report.is_file():  # a pipe would be waited for
        return None
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
        known = content["fingerprint"]
        files = [report.with_name(f"{target.name}{suffix}") for suffix in content["files"]]
        made = report.stat().st_mtime_ns
        same = known["settings"] == settings and same_photo(known["input"], item.sources)
    except (OSError, ValueError, KeyError, TypeError):
        return None

    fresh = not setup.config["overwrite"] or (began is not None and made >= began)
    whole = all(file.is_file() for file in files)
    return result_file(target, item.file, setup.config) if fresh and same and whole else None


def refuse_to_replace(item: Item, folder: Path, setup: Setup) -> None:
    """Raise ValueError where a file of a photo's result would replace one that is there.

    With overwrite=true it may, but for what is no file.
    """
    overwrite, target = setup.config["overwrite"], folder / item.name
    files = [target.with_name(f"{target.name}{suffix}") for suffix in suffixes(setup, item.file)]
    for name in FOLDERS:
        if name in beside(setup.config):
            files += [target.parent / name / f"{target.name}{end}" for end in (".png", ".npy")]
    for file in files:
        if overwrite and os.path.lexists(file) and not file.is_symlink() and not file.is_file():
            raise ValueError(f"{file} is no ordinary file, and is not replaced; move it away")
        if not overwrite and os.path.lexists(file):
            raise ValueError(
                f"{file} exists, made otherwise or of another photo; "
                "choose another output=, or allow overwrite=true"
            )
