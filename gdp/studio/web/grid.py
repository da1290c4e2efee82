"""The photos of a batch, and where its results are to be had."""

from html import escape
from pathlib import Path

from gdp.studio.jobs.store import Job
from gdp.studio.web.viewer import address
from gdp.studio.words.texts import Texts


def grid(job: Job | None, t: Texts) -> str:
    """The photos of a batch: thumbnails fill in as they are done."""
    if job is None:
        return ""
    html = ""
    for file in job.files:
        stem = Path(file).stem
        note = job.photos.get(stem)
        if note is None:
            html += (
                f'<figure><div class="wait"></div><figcaption>{escape(file)}</figcaption></figure>'
            )
        elif "file" in note:
            link = address(job, "file", note["file"])
            thumb = address(job, "thumb", Path(note["file"]).stem)
            html += (
                f'<figure class="ready"><a href="{link}" download>'
                f'<img src="{thumb}" alt="{escape(file)}"></a>'
                f"<figcaption>{escape(file)}</figcaption></figure>"
            )
        else:
            html += (
                f'<figure class="broken"><div class="wait"></div><figcaption>{escape(file)}'
                f'<br><span class="bad">{escape(str(note["error"]))}</span></figcaption></figure>'
            )
    return f'<div class="strip">{html}</div>'


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
