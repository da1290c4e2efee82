"""Tables as input: manifests of paths with settings, and sets of photos in rows (Hugging Face's).

A manifest (CSV or Parquet) has a column `input` of paths or URLs, relative ones to its folder, and
further ones named as settings are; an empty cell leaves the command line's. A set has a column of
pictures as bytes, as datasets exports and saves them.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from gdp.compose.refusal import groups, nearest
from gdp.compose.settings import SETTINGS
from gdp.engine.entries import Entry
from gdp.engine.rows import groups_of, is_bytes, path_column, stream_of
from gdp.remote.urls import is_url, joined, name_of

INPUT, NAME = "input", "name"  # columns of manifests
PATHS = ("input", "mask", "init", "reference")  # columns that name files
MANIFESTS, ROWS = (".csv", ".parquet"), (".parquet", ".arrow")
PICTURES = ("image", "img", "png", "jpg", "jpeg", "webp", "tif")  # what columns of them are called
OFFERED = 12  # names that an error lists


def is_table(path: str) -> bool:
    """Whether a path or URL is that of a table."""
    return path.lower().endswith((*MANIFESTS, *ROWS))


def read_table(path: str) -> Iterator[Entry]:
    """The photos of a manifest or of a set in rows, without names that are apart.

    Raises:
        ValueError: there is no column of paths or pictures, or one that is no setting.
        OSError: it cannot be read.
    """
    if path.lower().endswith(".csv"):
        with stream_of(path) as stream:
            rows = csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
            known = check_columns(list(rows.fieldnames or []), path)
            yield from (entry_of(row, path) for row in rows if known)
        return

    with groups_of(path) as (schema, batches, modified):
        column = next((name for name in PICTURES if is_bytes(schema, name)), None)
        if column is not None:
            for group, batch in enumerate(batches([])):
                paths = path_column(batch, schema, column)
                for row, inner in enumerate(paths):
                    title = PurePosixPath(inner or f"{group:05d}_{row:06d}.png").name
                    part = ("row", group, row, column)
                    yield Entry(PurePosixPath(title).stem, path, title, part, modified=modified)
            return
        check_columns(schema.names, path)
        for batch in batches(None):
            yield from (entry_of(row, path) for row in batch.to_pylist())


def check_columns(names: list[str], path: str) -> bool:
    """Raise ValueError unless a manifest's columns are paths and settings."""
    if INPUT not in names:
        raise ValueError(
            f"{path} has the columns {', '.join(names) or '(none)'}; a manifest has one called "
            f"{INPUT}, of paths, and a set of photos one of pictures, such as {PICTURES[0]}"
        )
    for name in names:
        group = name.partition(".")[0]
        fixed = name in SETTINGS and (SETTINGS[name].cosmetic or SETTINGS[name].files_only)
        if name in (INPUT, NAME) or (not fixed and (name in SETTINGS or group in groups())):
            continue
        more = (
            "is the same for all photos"
            if fixed
            else f"is no setting{nearest(name, list(SETTINGS))}"
        )
        raise ValueError(f"{path}: the column {name} {more}; leave it out")
    return True


def entry_of(row: Mapping[str, Any], path: str) -> Entry:
    """The photo of a manifest's row."""
    folder = path.rpartition("/")[0] if is_url(path) else str(Path(path).parent)
    cells = {key: str(value) for key, value in row.items() if value not in (None, "") and key}
    for key in PATHS:
        if key in cells and not is_url(cells[key]) and not Path(cells[key]).is_absolute():
            cells[key] = joined(folder, cells[key])
    if INPUT not in cells:
        raise ValueError(f"{path} has a row without {INPUT}; give each row a path there")
    file, reference = cells.pop(INPUT), cells.pop("reference", None)
    name = cells.pop(NAME, PurePosixPath(name_of(file)).stem)
    return Entry(name, file, name_of(file), settings=cells, reference=reference)
