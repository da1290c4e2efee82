"""A run's summary.csv and index.html, made of what lies in its folder: NAME.json, NAME.compare.png and the pictures of what was found."""

import logging
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from gdp.report import page, thumbnails
from gdp.report.summary import COLUMNS, Entry, as_csv, columns, entries, file_of, row
from gdp.storage.files import atomic

BUDGET, LEAST, MOST = (
    16_000_000,
    4_000,
    60_000,
)  # bytes of all pictures; of one, at least and at most
PICTURED = 2_000  # photos with pictures; of more, the rest are in the table alone
FOUND = 6_000  # bytes of a picture of what was found
log = logging.getLogger("gdp")


def write_gallery(
    folder: Path,
    failed: Mapping[str, str] | None = None,
    overwrite: bool = False,
    recursive: bool = False,
) -> list[Path]:
    """Write summary.csv and index.html of every photo in `folder` (`recursive`: and below) and of those that `failed` (name -> error).

    What was written. A file of that name that a person made stays, unless `overwrite`; it is warned about.
    """
    listed = entries(folder, failed, recursive)
    rows = [row(entry) for entry in listed]
    files = {
        "summary.csv": (as_csv(rows, columns(rows)), ",".join(COLUMNS[:3])),
        "index.html": (gallery(folder, listed), page.MARK),
    }
    return [
        file
        for name, (text, mark) in files.items()
        if (file := write(folder / name, text, mark, overwrite)) is not None
    ]


def write(file: Path, text: str, mark: str, overwrite: bool) -> Path | None:
    """Write a file, whole or not at all; None, and a warning, where one is there without our `mark` near its beginning."""
    if not overwrite and not ours(file, mark):
        log.warning(
            "%s is not this program's, so it stays; choose another output=, or report=false, or allow overwrite=true",
            file,
        )
        return None
    with atomic(file) as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))
    return file


def ours(file: Path, mark: str) -> bool:
    """Whether `file` has `mark` in its first 1,000 bytes, or does not exist."""
    try:
        with file.open("rb") as stream:
            return mark.encode() in stream.read(1000)
    except FileNotFoundError:
        return True


def gallery(folder: Path, listed: Sequence[Entry]) -> str:
    """The page. Its size is bounded: the more photos, the smaller the pictures."""
    done = sum(not entry.error for entry in listed)
    most = min(MOST, max(LEAST, BUDGET // (2 * max(1, min(done, PICTURED)))))
    rows = [row(entry) for entry in listed]
    cards = [card(folder, entry, f"photo{i}", most) for i, entry in enumerate(listed[:PICTURED])]
    links = [f"#photo{i}" if i < PICTURED else "" for i in range(len(listed))]
    body = [
        f"<p>{done} of {len(listed)} restored.</p>",
        page.table(columns(rows), rows, links) if rows else "",
    ]
    if len(listed) > PICTURED:
        body.append(f"<p>Pictures of the first {PICTURED}.</p>")
    body += [
        '<div class="cards">',
        *cards,
        "</div>",
        f"<footer>{page.facts(machine(listed))}</footer>",
    ]
    return page.page(f"Restored photos: {done}" if len(listed) != 1 else listed[0].name, body)


def card(folder: Path, entry: Entry, anchor: str, most: int) -> str:
    """A photo's part of the page, its pictures of at most `most` bytes each."""
    report = entry.report
    if not report:
        return f'<article id="{anchor}">\n<h2>{escape(entry.name)}</h2>\n<p class="bad">{escape(entry.error)}</p>\n</article>'
    file = file_of(entry)
    extra = {
        name: thumbnails.opened(folder / file.parent / Path(str(path)).name)
        for name, path in (report.get("pictures") or {}).items()
    }
    found = {
        name: thumbnails.uri(picture, FOUND, 160)
        for name, picture in extra.items()
        if picture is not None
    }
    listed = row(entry)
    told = {
        **{
            name: page.words(value)
            for name, value in listed.items()
            if name not in ("name", "state")
        },
        "found": page.words(report.get("operator")),
        "settings": page.words(" ".join(str(word) for word in report.get("overrides") or [])),
        "from": str(report.get("input", "")),
    }
    parts = (
        f'<h2><a href="{page.local(*file.parts)}">{escape(file.as_posix())}</a></h2>',
        compared(folder, entry, most),
        page.found_pictures(found),
        page.facts(told),
    )
    return "\n".join((f'<article id="{anchor}">', *(part for part in parts if part), "</article>"))


def compared(folder: Path, entry: Entry, most: int) -> str:
    """Input and result under a slider; the result alone where the input is not at hand, nothing where neither is."""
    panels = thumbnails.panels(folder, entry)
    restored = panels.get("restored")
    if restored is None:
        return ""
    after = thumbnails.fitted(restored, thumbnails.SIDE)
    shown = thumbnails.uri(after, most)
    if not shown:
        return ""
    if "input" not in panels:
        return page.alone(entry.name, shown, after.size)
    earlier = thumbnails.uri(thumbnails.before(panels["input"], entry, after.size), most)
    return page.pair(entry.name, earlier, shown, after.size, max(after.size) <= thumbnails.SMALL)


def machine(listed: Sequence[Entry]) -> dict[str, str]:
    """What made the last of the results."""
    reports = [entry.report for entry in listed if entry.report]
    if not reports:
        return {}
    last = reports[-1]
    return {
        "prior": page.words(last.get("prior")),
        "on": page.words(last.get("hardware")),
        "with": page.words(last.get("versions")),
    }
