"""A restored photo's downloads, and what is known of it; all text is escaped."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from gdp.studio.jobs.store import Job
from gdp.studio.web.viewer import address
from gdp.studio.words.texts import Texts


def results(job: Job | None, run: Path, t: Texts) -> str:
    """Downloads of a restored photo, and what is known of it: words first, figures folded."""
    note = next(iter(job.photos.values()), {}) if job is not None else {}
    if job is None or "file" not in note:
        return ""
    report = report_of(run / note["report"])
    name = note["name"]

    # Whether it agrees with the photo, in words.
    html = ""
    sigma, off = report.get("sigma_y"), report.get("consistency")
    left = [line for line in job.remarks if "left as it is" in line]
    if left:
        why = t("result.none") if "nothing to do" in left[0] else left[0].partition(": ")[2]
        html += f"<p>{escape(t('result.same', why=why))}</p>"
    elif isinstance(sigma, float) and isinstance(off, float):
        agrees = off <= 1.5 * sigma + 0.005
        html += f"<p>{escape(t('result.agrees' if agrees else 'result.agrees_not'))}</p>"

    html += (
        '<div class="got">'
        f'<a class="main" href="{address(job, "file", note["file"])}" download>'
        f"{escape(t('result.download'))} ({escape(Path(note['file']).suffix[1:].upper())})</a>"
        f'<a href="{address(job, "file", note["report"])}" download>'
        f"{escape(t('result.report'))}</a></div>"
    )
    files = [str(suffix) for suffix in report.get("files", [])]
    samples = [s for s in files if s.startswith((".sample", ".mean", ".std"))]
    maps = {str(k): str(v) for k, v in (report.get("pictures") or {}).items()}
    html += strip(job, t("result.samples"), {sample_name(s, t): f"{name}{s}" for s in samples}, t)
    html += strip(job, t("result.maps"), maps, t)
    html += figures(report, t)
    return html


def sample_name(suffix: str, t: Texts) -> str:
    """What a picture beside the first sample is called."""
    plain = suffix.split(".")[1]
    return t(f"result.{plain}") if plain in ("std", "mean") else plain.removeprefix("sample")


def strip(job: Job, head: str, pictures: Mapping[str, str], t: Texts) -> str:
    """Pictures side by side, each a link to itself."""
    if not pictures:
        return ""
    html = "".join(
        f'<figure><a href="{address(job, "file", file)}" target="_blank">'
        f'<img src="{address(job, "file", file)}" alt="{escape(name)}" loading="lazy"></a>'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, file in pictures.items()
    )
    return f'<h4>{escape(head)}</h4><div class="strip">{html}</div>'


def figures(report: Mapping[str, Any], t: Texts) -> str:
    """The report's numbers, folded."""
    size = "x".join(map(str, report.get("size", [])))
    rows = {"size": size, **{k: report.get(k) for k in ("seconds", "nfe", "consistency")}}
    rows |= {k: report.get(k) for k in ("sigma_y", "seed", "prior")}
    html = "".join(
        f"<dt>{escape(t(f'figure.{key}'))}</dt><dd>{escape(number(value))}</dd>"
        for key, value in rows.items()
        if value is not None
    )
    head = f"<summary>{escape(t('result.figures'))}</summary>"
    return f'<details>{head}<dl class="figures">{html}</dl></details>'


def number(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, Mapping):
        return "; ".join(f"{k} {number(v)}" for k, v in value.items())
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def report_of(file: Path) -> dict[str, Any]:
    """A result's NAME.json; empty where there is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
