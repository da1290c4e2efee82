"""What was found in a photo, and how far its restoration is, in plain words."""

from html import escape

from gdp.studio.jobs import store
from gdp.studio.jobs.line import DIED, Live
from gdp.studio.jobs.store import Job
from gdp.studio.words.texts import Texts

# Noise (std, 1 is full scale) from which it is spoken of, clear, and strong; softness in pixels.
SLIGHT, CLEAR, STRONG = 0.006, 0.02, 0.06
SOFT = 0.9


def found(job: Job | None, t: Texts) -> str:
    """What was found in a photo, in plain words."""
    if job is None or not job.looked:
        return ""
    looked, words = job.looked, []
    if looked["grey"]:
        words.append(t("found.grey"))
    if looked["dark"]:
        words.append(t("found.dark"))
    noise, kind = looked["noise"], "camera" if looked["coloured"] else "noise"
    for least, how in ((STRONG, "strong"), (CLEAR, "some"), (SLIGHT, "slight")):
        if noise >= least:
            words.append(t(f"found.{kind}_{how}"))
            break
    if looked["soft"]:
        words.append(t("found.soft_some" if looked["soft"] > SOFT else "found.soft_slight"))
    if looked["jpeg"]:
        words.append(t("found.jpeg", quality=looked["jpeg"]))
    width, height = looked["size"]
    words.append(t("found.size", width=width, height=height))
    if looked["depth"] > 8:
        words.append(t("found.depth", depth=looked["depth"]))

    names = t.below("task")
    also = [names[task] for task in looked["also"] if task in names]
    html = f"<strong>{escape(t('found.head'))}</strong> "
    html += " ".join(f'<span class="chip">{escape(word)}</span>' for word in words)
    if looked["good"]:
        html += f"<small>{escape(t('found.good'))}</small>"
    if also:
        html += f"<small>{escape(t('found.also'))} {escape(', '.join(also))}</small>"
    return f'<div class="found" id="found">{html}</div>'


def progress(job: Job | None, live: Live | None, place: int, t: Texts) -> str:
    """How far a job is, or what became of it."""
    if job is None or job.state == store.NEW:
        return ""
    share, text, bad = 0.0, "", False
    if job.state == store.QUEUED:
        text = t("state.queued", count=place) if place else t("state.next")
    elif job.state == store.RUNNING:
        share = 0.0 if live is None else live.share
        left = None if live is None else live.left()
        percent = int(100 * share)
        text = t("state.running", percent=percent)
        if left is not None:
            text = t("state.left", percent=percent, left=duration(left, t))
    elif job.state == store.DONE:
        share, text = 1.0, t("state.done", seconds=duration(job.seconds, t))
    elif job.state == store.CANCELLED:
        text = t("state.cancelled")
    else:
        error = t("state.died") if job.error == DIED else job.error
        text, bad = t("state.failed", error=error), True

    if job.kind == store.BATCH:
        done = sum(photo["state"] != "failed" for photo in job.photos.values())
        text = f"{t('state.photos', done=done, count=len(job.files))}. {text}"
    bar = (
        f'<div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{int(100 * share)}" aria-label="{escape(text)}">'
        f'<div class="done" style="width:{100 * share:.1f}%"></div></div>'
    )
    shown = bar if job.active or job.state == store.DONE else ""
    kind = ' class="bad"' if bad else ""
    return (
        f'<div class="progress" data-state="{job.state}">{shown}'
        f'<p role="status"{kind}>{escape(text)}</p></div>'
    )


def duration(seconds: float, t: Texts) -> str:
    """Seconds, minutes or hours, as a person says them."""
    if seconds < 100:
        return t("seconds", n=max(1, round(seconds)))
    if seconds < 5400:
        return t("minutes", n=round(seconds / 60))
    return t("hours", n=f"{seconds / 3600:.1f}")
