"""Input and result of a photo as a page shows them, and what a person wants to know first."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from gdp.report import page, thumbnails
from gdp.report.summary import Entry, file_of, nested

# A result agrees with its photo up to this many times the noise, and that much more.
NEAR, ROUNDING = 1.5, 0.005


class Full(NamedTuple):
    """A photo's comparison at its full size, which the page loads where one looks closely.

    Attributes:
        link: to NAME.compare.png.
        boxes: [left, top, right, bottom] of the panels `input` and `restored` in it.
        width: pixels of the result.
        height: pixels of the result.
    """

    link: str
    boxes: Mapping[str, Sequence[int]]
    width: int
    height: int


class Pictures(NamedTuple):
    """Input and result of a photo, as data URIs.

    Attributes:
        before: the input; None where it is not at hand.
        after: the result.
        width: pixels of both.
        height: pixels of both.
        pixelated: whether each pixel is shown where they are enlarged.
        full: both at their full size; None where they are not at hand.
    """

    before: str | None
    after: str
    width: int
    height: int
    pixelated: bool
    full: Full | None = None


def in_words(report: Mapping[str, Any]) -> str:
    """Whether a result agrees with its photo, and what it took, in plain words."""
    sigma, off, seconds = (report.get(name) for name in ("sigma_y", "consistency", "seconds"))
    words = []
    if isinstance(sigma, float) and isinstance(off, float):
        close = off <= NEAR * sigma + ROUNDING
        words.append(
            "It agrees with the photo within its noise."
            if close
            else "It differs from the photo by more than its noise; look closely."
        )
    if isinstance(seconds, float):
        words.append(f"{seconds:.3g} seconds.")
    return " ".join(words)


def pictures_of(folder: Path, entry: Entry, most: int) -> Pictures | None:
    """Input and result of a photo, of at most `most` bytes each; None without a result."""
    panels = thumbnails.panels(folder, entry)
    if "restored" not in panels:
        return None
    after = thumbnails.shrink(panels["restored"], thumbnails.SIDE)
    shown = thumbnails.data_uri(after, most)
    if not shown:
        return None

    before = None
    if "input" in panels:
        before = thumbnails.lay_over(panels["input"], entry, after.size)
    return Pictures(
        None if before is None else thumbnails.data_uri(before, most),
        shown,
        *after.size,
        pixelated=max(after.size) <= thumbnails.SMALL,
        full=full_of(entry, panels),
    )


def full_of(entry: Entry, panels: Mapping[str, Image.Image]) -> Full | None:
    """Where both pictures are at their full size, if they lie side by side there."""
    boxes = entry.report.get("panels") or {}
    if not {"input", "restored"} <= panels.keys() or nested(
        entry.report, "config", "operator", "margins"
    ):
        return None
    size = panels["restored"].size
    parts = file_of(entry).parent.joinpath(f"{Path(entry.name).name}.compare.png").parts
    return Full(page.link_to(*parts), {k: boxes[k] for k in ("input", "restored")}, *size)
