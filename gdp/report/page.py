"""The HTML of a run: one file without anything from elsewhere, usable by keyboard.

How it looks is in `assets/`: templates, a style sheet for the reader's light or dark, and a script.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gdp.storage.files import atomic

ASSETS = Path(__file__).parent / "assets"
STYLE, SCRIPT = (
    "".join((ASSETS / name).read_text(encoding="utf-8") for name in names)
    for names in (("style.css", "viewer.css"), ("script.js", "viewer.js"))
)
MARK = '<meta name="generator" content="gdp">'  # tells our pages, which may be replaced
POLICY = (
    "default-src 'none'; img-src data: 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
log = logging.getLogger("gdp")


def render(template: str, title: str, **values: Any) -> str:
    """Fill a template of a whole document.

    Args:
        template: a file of `assets/` that extends page.html.
        title: plain text.
        values: what else the template names; texts in it are plain, too.
    """
    return environment().get_template(template).render(title=title, **values)


@cache
def environment() -> Environment:
    """The templates; any text that is put into them is escaped."""
    templates = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    own = {"mark": MARK, "policy": POLICY, "style": STYLE, "script": SCRIPT}
    templates.globals.update({name: Markup(text) for name, text in own.items()}, zip=zip)
    templates.filters["text"] = as_text
    return templates


def write_own(file: Path, text: str, mark: str, overwrite: bool) -> Path | None:
    """Write a file of ours, whole or not at all.

    Args:
        file: where to.
        text: its content.
        mark: what our files of that name have near their beginning.
        overwrite: whether a file without the mark is replaced.

    Returns:
        The file; None, after a warning, where one is there that is not ours.
    """
    try:
        with file.open("rb") as stream:
            ours = mark.encode() in stream.read(1000)
    except FileNotFoundError:
        ours = True

    if not ours and not overwrite:
        log.warning(
            "%s is not this program's, so it stays; "
            "choose another output=, or report=false, or allow overwrite=true",
            file,
        )
        return None

    with atomic(file) as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))
    return file


def as_text(value: Any, most: int = 300) -> str:
    """Write a value as a person reads it: numbers to 4 digits, None as nothing, long ones cut."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"

    if isinstance(value, list | tuple):
        text = ", ".join(as_text(v) for v in value[:12]) + (" ..." if len(value) > 12 else "")
    elif isinstance(value, Mapping):
        text = "; ".join(f"{k} {as_text(v)}" for k, v in value.items())
    else:
        text = str(value)
    return text if len(text) <= most else f"{text[:most]} ..."


def filled(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns in which some row has a value."""
    return [name for name in names if any(row.get(name) not in (None, "") for row in rows)]


def link_to(*parts: str) -> str:
    """A link to a file beside the page."""
    return "./" + "/".join(quote(part, safe="", errors="surrogateescape") for part in parts)
