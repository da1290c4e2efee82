"""A sweep (-m) as a whole: its axes, summary.csv and index.html over its jobs, a contact sheet."""

import base64
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, PngImagePlugin

from gdp.report import page, thumbnails
from gdp.report.sheet import Cell, draw
from gdp.report.summary import Entry, as_csv, columns, entries, natural, row_of
from gdp.storage.files import atomic

MARK = "gdp contact sheet"  # in a PNG that is ours
SHOWN, MOST = 2000, 3_000_000  # pixels of the sheet's longer side in the page; bytes of it
PICTURED = 2000  # cells of the sheet, at most
SETTINGS = ("steps", "sigma_y", "seed")  # numbers of a row of which there is no mean
log = logging.getLogger("gdp")


class Job(NamedTuple):
    """A job of a sweep.

    Attributes:
        overrides: its settings by name.
        folder: where its results lie.
        error: what ended it, if anything.
        failed: the error of each photo that failed, by name.
    """

    overrides: dict[str, str]
    folder: Path
    error: str = ""
    failed: Mapping[str, str] = {}

    def point(self, axes: Mapping[str, Any]) -> dict[str, str]:
        """Its place on the axes."""
        return {name: self.overrides.get(name, "") for name in axes}


def axes_of(jobs: Sequence[Job]) -> dict[str, list[str]]:
    """Find what differs between jobs.

    Returns:
        Overrides, and their values in the order that they came in; the longest first.
    """
    names = dict.fromkeys(name for job in jobs for name in job.overrides)
    values = {n: list(dict.fromkeys(job.overrides.get(n, "") for job in jobs)) for n in names}
    differing = [axis for axis in values.items() if len(axis[1]) > 1]
    return dict(sorted(differing, key=lambda axis: -len(axis[1])))


def write_sweep(
    root: Path, jobs: Sequence[Job], overwrite: bool = False, recursive: bool = False
) -> list[Path]:
    """Write summary.csv, sheet.png and index.html of a sweep.

    Args:
        root: the sweep's folder.
        jobs: its jobs.
        overwrite: whether files of these names that a person made are replaced.
        recursive: whether results may lie in folders of a job's folder.

    Returns:
        What was written.
    """
    axes = axes_of(jobs)
    photos = [entries(job.folder, job.failed, recursive) for job in jobs]

    # A row for each photo of each job; for a job without any, its error.
    rows = [
        {**job.point(axes), **row_of(entry)}
        for job, found in zip(jobs, photos, strict=True)
        for entry in found or [Entry("", {}, job.error)]
    ]
    table = as_csv(rows, columns(rows, ["name", "state", *axes]))

    sheet = draw(axes, blocks(jobs, axes, photos))
    text = sweep_page(root, jobs, axes, photos, sheet)
    files = [
        page.write_own(root / "summary.csv", table, "name,state,", overwrite),
        write_sheet(root / "sheet.png", sheet, overwrite),
        page.write_own(root / "index.html", text, page.MARK, overwrite),
    ]
    return [file for file in files if file is not None]


def blocks(
    jobs: Sequence[Job], axes: Mapping[str, Any], photos: Sequence[Sequence[Entry]]
) -> dict[str, dict[tuple[str, ...], Cell]]:
    """What the sheet shows: photo -> place on the axes -> cell."""
    names = sorted({entry.name for found in photos for entry in found}, key=natural)
    names = names[: max(1, PICTURED // max(1, len(jobs)))] or [""]

    cells: dict[str, dict[tuple[str, ...], Cell]] = {name: {} for name in names}
    for job, found in zip(jobs, photos, strict=True):
        by_name = {entry.name: entry for entry in found}
        place = tuple(job.point(axes).values())
        for name in names:
            entry = by_name.get(name, Entry(name, {}, job.error))
            cells[name][place] = cell(job.folder, entry)
    return cells


def cell(folder: Path, entry: Entry) -> Cell:
    """A photo's picture and a line about it."""
    if not entry.report:
        return Cell(None, entry.error or "not restored")

    row = row_of(entry)
    misfit = f"|Ax-y| {page.as_text(row['consistency'])}"
    score = f"PSNR {row['psnr']:.2f}" if "psnr" in row else misfit
    picture = thumbnails.panels(folder, entry).get("restored")
    return Cell(picture, f"{score}  {row['seconds'] or 0:.1f} s")


def write_sheet(file: Path, sheet: Image.Image, overwrite: bool) -> Path | None:
    """Save the contact sheet as PNG, unless a picture of that name is a person's.

    Returns:
        The file; None, after a warning, where it is not ours.
    """
    if not overwrite and file.exists() and not is_sheet(file):
        log.warning(
            "%s is not this program's, so it stays; "
            "choose another output=, or allow overwrite=true",
            file,
        )
        return None

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Software", MARK)
    with atomic(file) as temporary:
        sheet.save(temporary, format="PNG", pnginfo=notes)
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
    axes: Mapping[str, Any],
    photos: Sequence[Sequence[Entry]],
    sheet: Image.Image,
) -> str:
    """Compose the page of a sweep: a row for each job, and the sheet."""
    rows = [job_row(job, axes, found) for job, found in zip(jobs, photos, strict=True)]
    names = ["job", *axes, "restored", "failed", "seconds", "nfe", "consistency"]
    others = dict.fromkeys(key for row in rows for key in row if key not in (*names, "error"))
    links = [
        page.link_to(job.folder.name, "index.html") if (job.folder / "index.html").is_file() else ""
        for job in jobs
    ]

    # The sheet, where it is not too large for a page.
    stream = io.BytesIO()
    thumbnails.shrink(sheet, SHOWN).save(stream, format="JPEG", quality=85)
    data = stream.getvalue()
    uri = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"

    return page.render(
        "sweep.html",
        f"Sweep: {root.name}",
        axes=list(axes),
        names=page.filled([*names, *others, "error"], rows),
        rows=rows,
        links=links,
        sheet=uri if len(data) <= MOST else "",
    )


def job_row(job: Job, axes: Mapping[str, Any], photos: Sequence[Entry]) -> dict[str, Any]:
    """A job's row: how many photos it restored, and the mean of every number over them."""
    rows = [row_of(entry) for entry in photos if entry.report]
    means = {}
    for key in dict.fromkeys(key for row in rows for key in row if key not in SETTINGS):
        values = [row[key] for row in rows if isinstance(row.get(key), int | float)]
        if values:
            means[key] = sum(values) / len(values)

    errors = dict.fromkeys(entry.error for entry in photos if entry.error)
    return {
        "job": job.folder.name,
        **job.point(axes),
        "restored": len(rows),
        "failed": sum(bool(entry.error) for entry in photos) or None,
        **means,
        "error": job.error or "; ".join(errors),
    }
