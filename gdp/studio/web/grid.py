"""The photos of a batch, and where its results are to be had."""

from html import escape
from pathlib import Path

from gdp.studio.jobs.store import Job
from gdp.studio.web.viewer import address
from gdp.studio.words.texts import Texts


def grid(job: Job | None) -> str:
    """The photos of a batch: thumbnails fill in as they are done."""
    if job is None:
        return ""
    return f'<div class="strip">{"".join(figure(job, file) for file in job.files)}</div>'


def figure(job: Job, file: str) -> str:
    """One photo of a batch: its result, or why there is none yet."""
    note, name = job.photos.get(Path(file).stem), escape(file)
    if note is None:
        return f'<figure><div class="wait"></div><figcaption>{name}</figcaption></figure>'

    if "file" in note:
        link = address(job, "file", note["file"])
        thumb = address(job, "thumb", Path(note["file"]).stem)
        return (
            f'<figure class="ready"><a href="{link}" download>'
            f'<img src="{thumb}" alt="{name}"></a>'
            f"<figcaption>{name}</figcaption></figure>"
        )

    return (
        f'<figure class="broken"><div class="wait"></div><figcaption>{name}'
        f'<br><span class="bad">{escape(str(note["error"]))}</span></figcaption></figure>'
    )


def archive(job: Job | None, run: Path, ready: bool, t: Texts) -> str:
    """Where a batch's results are to be had."""
    if job is None or not ready:
        return ""
    where = escape(t("batch.where", folder=run))
    link = address(job, "zip")
    return (
        f'<div class="got"><a class="main" href="{link}" download>{escape(t("batch.zip"))}</a>'
        f"</div><p><small>{where}</small></p>"
    )
