"""A sweep (-m) told as a whole: its axes, summary.csv and index.html over the folders of its jobs, and a contact sheet."""

import base64
import io
import logging
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, PngImagePlugin

from gdp.report import page, thumbnails
from gdp.report.gallery import write
from gdp.report.sheet import Cell, draw
from gdp.report.summary import Entry, as_csv, columns, entries, natural, row
from gdp.storage.files import atomic

MARK = "gdp contact sheet"
SHOWN, MOST = 2000, 3_000_000  # pixels of the sheet's longer side in the page; bytes of it
PICTURED = 2000  # cells of the sheet, at most


class Job(NamedTuple):
    """A job of a sweep: its overrides by name, its folder, what error ended it, and those of photos that failed."""

    overrides: dict[str, str]
    folder: Path
    error: str = ""
    failed: Mapping[str, str] = {}


def axes(jobs: Sequence[Job]) -> dict[str, list[str]]:
    """The overrides that differ between jobs, with their values in the order that they came in; the longest first."""
    names = list(dict.fromkeys(name for job in jobs for name in job.overrides))
    found = {
        name: list(dict.fromkeys(job.overrides.get(name, "") for job in jobs)) for name in names
    }
    return dict(
        sorted(
            ((name, values) for name, values in found.items() if len(values) > 1),
            key=lambda axis: -len(axis[1]),
        )
    )


def write_sweep(
    root: Path, jobs: Sequence[Job], overwrite: bool = False, recursive: bool = False
) -> list[Path]:
    """Write summary.csv, index.html and sheet.png of a sweep into `root`; what was written. A person's files of these names stay.

    `recursive`: results may lie in folders of a job's folder.
    """
    named, listed = axes(jobs), [entries(job.folder, job.failed, recursive) for job in jobs]
    rows = [
        {**point(job, named), **row(entry)}
        for job, found in zip(jobs, listed, strict=True)
        for entry in found or [Entry("", {}, job.error)]
    ]
    names = columns(
        rows, ["name", "state", *(name for name in named if name not in ("name", "state"))]
    )
    sheet = draw(named, blocks(jobs, named, listed))
    files = [
        write(root / "summary.csv", as_csv(rows, names), "name,state,", overwrite),
        write_sheet(root / "sheet.png", sheet, overwrite),
    ]
    text = sweep_page(root, jobs, named, listed, sheet)
    files.append(write(root / "index.html", text, page.MARK, overwrite))
    return [file for file in files if file is not None]


def point(job: Job, named: Mapping[str, Any]) -> dict[str, str]:
    """A job's place on the axes."""
    return {name: job.overrides.get(name, "") for name in named}


def blocks(
    jobs: Sequence[Job], named: Mapping[str, Any], listed: Sequence[Sequence[Entry]]
) -> dict[str, dict[tuple[str, ...], Cell]]:
    """What the sheet shows: photo -> place on the axes -> cell."""
    names = sorted({entry.name for found in listed for entry in found}, key=natural)
    out: dict[str, dict[tuple[str, ...], Cell]] = {}
    for name in names[: max(1, PICTURED // max(1, len(jobs)))] or [""]:
        out[name] = {}
        for job, found in zip(jobs, listed, strict=True):
            entry = next((e for e in found if e.name == name), Entry(name, {}, job.error))
            out[name][tuple(point(job, named).values())] = cell(job.folder, entry)
    return out


def cell(folder: Path, entry: Entry) -> Cell:
    """A photo's picture and a line about it."""
    if not entry.report:
        return Cell(None, entry.error or "not restored")
    values = row(entry)
    score = (
        f"PSNR {values['psnr']:.2f}"
        if "psnr" in values
        else f"|Ax-y| {page.words(values['consistency'])}"
    )
    return Cell(
        thumbnails.panels(folder, entry).get("restored"), f"{score}  {values['seconds'] or 0:.1f} s"
    )


def write_sheet(file: Path, sheet: Image.Image, overwrite: bool) -> Path | None:
    """Save the sheet as PNG, unless a picture of that name is a person's."""
    if not overwrite and file.exists() and not is_sheet(file):
        logging.getLogger("gdp").warning(
            "%s is not this program's, so it stays; choose another output=, or allow overwrite=true",
            file,
        )
        return None
    told = PngImagePlugin.PngInfo()
    told.add_text("Software", MARK)
    with atomic(file) as temporary:
        sheet.save(temporary, format="PNG", pnginfo=told)
    return file


def is_sheet(file: Path) -> bool:
    """Whether a picture is a contact sheet of ours."""
    try:
        with Image.open(file) as picture:
            return picture.info.get("Software") == MARK
    except thumbnails.BROKEN:
        return False


def sweep_page(
    root: Path,
    jobs: Sequence[Job],
    named: Mapping[str, Any],
    listed: Sequence[Sequence[Entry]],
    sheet: Image.Image,
) -> str:
    """The page of a sweep: a row for each job, and the sheet."""
    rows = [told(job, named, found) for job, found in zip(jobs, listed, strict=True)]
    links = [
        page.local(job.folder.name, "index.html") if (job.folder / "index.html").is_file() else ""
        for job in jobs
    ]
    names = ["job", *named, "restored", "failed", "seconds", "nfe", "consistency"]
    names += [
        *dict.fromkeys(key for r in rows for key in r if key not in names and key != "error"),
        "error",
    ]
    body = [
        f"<p>{len(jobs)} jobs; means over their photos. Axes: {escape(', '.join(named) or 'none')}.</p>",
        page.table(names, rows, links),
    ]
    shown = thumbnails.fitted(sheet, SHOWN)
    stream = io.BytesIO()
    shown.save(stream, format="JPEG", quality=85)
    if len(stream.getvalue()) <= MOST:
        data = base64.b64encode(stream.getvalue()).decode()
        body.append(
            f'<p><a href="{page.local("sheet.png")}"><img class="sheet" src="data:image/jpeg;base64,{data}" alt="Contact sheet"></a></p>'
        )
    return page.page(f"Sweep: {root.name}", body)


def told(job: Job, named: Mapping[str, Any], found: Sequence[Entry]) -> dict[str, Any]:
    """A job's row: where it lies, how many photos it restored, and the mean of every number."""
    rows = [row(entry) for entry in found if entry.report]
    means = {}
    for key in dict.fromkeys(
        key for r in rows for key in r if key not in ("steps", "sigma_y", "seed")
    ):
        values = [r[key] for r in rows if isinstance(r.get(key), int | float)]
        if values:
            means[key] = sum(values) / len(values)
    errors = job.error or "; ".join(dict.fromkeys(entry.error for entry in found if entry.error))
    failed = sum(bool(entry.error) for entry in found) or None
    return {
        "job": job.folder.name,
        **point(job, named),
        "restored": len(rows),
        "failed": failed,
        **means,
        "error": errors,
    }
