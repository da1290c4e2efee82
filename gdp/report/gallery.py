"""A run's summary.csv and index.html, made of what lies in its folder.

That is NAME.json, NAME.compare.png, and the pictures of what was found, such as a blur's kernel.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gdp.report import page, thumbnails
from gdp.report.pair import Pictures, in_words, pictures_of
from gdp.report.summary import (
    COLUMNS,
    Entry,
    as_csv,
    columns,
    entries,
    file_of,
    mean_row,
    row_of,
)

# Bytes of all pictures of a page; of one picture, at least and at most.
BUDGET, LEAST, MOST = 16_000_000, 4_000, 60_000
PICTURED = 2_000  # photos with pictures; of more, the rest are in the table alone
FOUND, FOUND_SIDE = 6_000, 160  # bytes and pixels of a picture of what was found


class Card(NamedTuple):
    """A photo's part of the page.

    Attributes:
        anchor: where the table's link leads.
        name: the photo's.
        error: what it failed with; None where it is restored.
        file: the result's path, relative to the page.
        link: to that file.
        pictures: input and result, if at hand.
        found: pictures (data URIs) of what was found of the degradation, by name.
        facts: what is known of the photo, by name.
        words: the same for everybody, in a sentence.
    """

    anchor: str
    name: str
    error: str | None
    file: str = ""
    link: str = ""
    pictures: Pictures | None = None
    found: Mapping[str, str] = {}
    facts: Mapping[str, str] = {}
    words: str = ""


def write_gallery(
    folder: Path,
    failed: Mapping[str, str] | None = None,
    overwrite: bool = False,
    recursive: bool = False,
) -> list[Path]:
    """Write summary.csv and index.html of the photos in a folder.

    Args:
        folder: where the results lie.
        failed: the error of each photo that failed, by name.
        overwrite: whether files of these names that a person made are replaced; else they stay,
            and are warned about.
        recursive: whether results in folders below count too.

    Returns:
        What was written.
    """
    photos = entries(folder, failed, recursive)
    rows = table_rows(photos)
    table = as_csv(rows, columns(rows))

    files = [
        page.write_own(folder / "summary.csv", table, ",".join(COLUMNS[:3]), overwrite),
        page.write_own(folder / "index.html", gallery(folder, photos), page.MARK, overwrite),
    ]
    return [file for file in files if file is not None]


def table_rows(photos: Sequence[Entry]) -> list[dict[str, Any]]:
    """A row for each photo, and one of means where there are scores of several."""
    rows = [row_of(entry) for entry in photos]
    mean = mean_row(rows)
    return rows if mean is None else [*rows, mean]


def gallery(folder: Path, photos: Sequence[Entry]) -> str:
    """Compose the page of a run.

    Its size is bounded: the more photos, the smaller the pictures.

    Args:
        folder: where the results lie.
        photos: the entries of the page.
    """
    done = sum(not entry.error for entry in photos)
    most = min(MOST, max(LEAST, BUDGET // (2 * max(1, min(done, PICTURED)))))
    rows = table_rows(photos)

    # What made the last of the results.
    reports = [entry.report for entry in photos if entry.report]
    last = reports[-1] if reports else {}
    machine = {"prior": "prior", "on": "hardware", "with": "versions"}

    return page.render(
        "gallery.html",
        f"Restored photos: {done}" if len(photos) != 1 else photos[0].name,
        done=done,
        count=len(photos),
        names=page.filled(columns(rows), rows),
        rows=rows,
        links=[f"#photo{i}" if i < min(PICTURED, len(photos)) else "" for i in range(len(rows))],
        cards=[card(folder, e, f"photo{i}", most) for i, e in enumerate(photos[:PICTURED])],
        machine={name: page.as_text(last.get(key)) for name, key in machine.items()},
    )


def card(folder: Path, entry: Entry, anchor: str, most: int) -> Card:
    """A photo's part of the page, its pictures of at most `most` bytes each."""
    report = entry.report
    if not report:
        return Card(anchor, entry.name, entry.error)

    file = file_of(entry)
    found = {}
    for name, path in (report.get("pictures") or {}).items():
        picture = thumbnails.open_rgb(folder / file.parent / Path(str(path)).name)
        if picture is not None:
            found[name] = thumbnails.data_uri(picture, FOUND, FOUND_SIDE)

    facts = {
        **{name: page.as_text(value) for name, value in row_of(entry).items()},
        "found": page.as_text(report.get("operator")),
        "settings": page.as_text(" ".join(str(word) for word in report.get("overrides") or [])),
        "from": str(report.get("input", "")),
    }
    return Card(
        anchor,
        entry.name,
        error=None,
        file=file.as_posix(),
        link=page.link_to(*file.parts),
        pictures=pictures_of(folder, entry, most),
        found={name: uri for name, uri in found.items() if uri},
        facts={name: text for name, text in facts.items() if name not in ("name", "state")},
        words=in_words(report),
    )
