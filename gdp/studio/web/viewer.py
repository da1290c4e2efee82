"""Before and after, and where masks are painted: what the scripts of the page work on."""

import json
from html import escape
from pathlib import Path
from urllib.parse import quote

from gdp.studio.jobs.store import Job
from gdp.studio.words.texts import Texts


def address(job: Job, *parts: str) -> str:
    """Where something of a job's is; see routes.py."""
    return "./studio/" + "/".join(quote(part, safe="") for part in (job.id, *parts))


def viewer(job: Job | None, run: Path, t: Texts) -> str:
    """The photo; beside what is known of its result: so far, or at the end."""
    if job is None or not job.looked:
        return f'<div class="hint">{escape(t("empty"))}</div>'
    size, before = job.looked["size"], address(job, "before")
    note = next(iter(job.photos.values()), {})
    if "file" in note:
        stamp = f"?{job.key}"
        after = address(job, "after", Path(note["file"]).stem) + stamp
        return pair(job, before, after, note["size"], t("view.after"), t)

    name = Path(job.files[0]).stem
    preview = run / f"{name}.preview.png"
    if job.key and preview.is_file():
        stamp = f"?{preview.stat().st_mtime_ns}"
        after = address(job, "preview", name) + stamp
        return pair(job, before, after, size, t("state.preview"), t)
    return pair(job, None, before, size, t("view.before"), t)


def pair(job: Job, before: str | None, after: str, size: list[int], end: str, t: Texts) -> str:
    """A viewer of one picture over another; see gdp/report/assets/viewer.js."""
    width, height = size
    words = escape(json.dumps({**t.below("view")}), quote=True)
    html = f'<img class="after" src="{after}" alt="{escape(end)}">'
    if before is not None:
        html += (
            f'<img class="before" src="{before}" alt="{escape(t("view.before"))}">'
            f'<input type="range" min="0" max="100" value="50" '
            f'aria-label="{escape(t("view.slider"))}">'
            f'<div class="ends"><span>{escape(t("view.before"))}</span>'
            f"<span>{escape(end)}</span></div>"
        )
    return (
        f'<photo-pair data-key="{job.id}" data-width="{width}" data-height="{height}" '
        f'data-words="{words}" style="--shape:{width}/{height}">{html}</photo-pair>'
    )


def editor(job: Job | None, what: str, t: Texts) -> str:
    """Where a mask is painted, or a blur's kernel drawn."""
    if job is None:
        return f"<p>{escape(t('mask.none'))}</p>"
    words = escape(json.dumps({**t.below("mask"), **({"used": ""} if what == "kernel" else {})}))
    photo = ""
    if what == "mask":
        photo = f'data-photo="{address(job, "before")}" data-select="{address(job, "select")}" '
    hint = f"<p>{escape(t('kernel.hint'))}</p>" if what == "kernel" else ""
    return (
        f'{hint}<mask-editor {photo}data-mask="{address(job, what)}" '
        f'data-words="{words}"></mask-editor>'
    )
