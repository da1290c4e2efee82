"""Small pictures for pages: cut from what a run saved, within a number of bytes, as data URIs."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gdp.report.summary import Entry, dig, file_of

BROKEN = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
SIDE, SMALLEST = (
    640,
    32,
)  # pixels of a thumbnail's longer side: the most, and where a picture that needs too many bytes is given up
LOSSLESS, SMALL = (
    128,
    64,
)  # pixels: up to here pictures are PNG, and up to here shown by their pixels


def panels(folder: Path, entry: Entry) -> dict[str, Image.Image]:
    """The panels of NAME.compare.png: input, restored, and reference where there is one; only `restored`, or none, where it is gone."""
    report = entry.report
    try:
        with Image.open(folder / f"{entry.name}.compare.png") as sheet:
            boxes = {
                label: box
                for label, box in (report.get("panels") or {}).items()
                if inside(box, sheet.size)
            }
            if boxes:
                return {label: sheet.crop(box).convert("RGB") for label, box in boxes.items()}
    except BROKEN:
        pass
    whole = opened(folder / file_of(entry))
    return {} if whole is None else {"restored": whole}


def inside(box: Any, size: tuple[int, int]) -> bool:
    """Whether `box` is [left, top, right, bottom] within a picture."""
    if not isinstance(box, Sequence) or len(box) != 4 or not all(isinstance(n, int) for n in box):
        return False
    left, top, right, bottom = box
    return 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]


def opened(file: Path) -> Image.Image | None:
    """A picture as RGB; None where there is none that can be read."""
    try:
        with Image.open(file) as picture:
            return picture.convert("RGB")
    except BROKEN:
        return None


def before(picture: Image.Image, entry: Entry, size: tuple[int, int]) -> Image.Image:
    """The input laid over a result shown at `size`: at its place where the result goes beyond it, else stretched to it."""
    margins, (W, H) = dig(entry.report, "config", "operator", "margins"), entry.report["size"]
    if margins is None:
        return picture.resize(
            size, Image.Resampling.NEAREST if picture.width < size[0] else Image.Resampling.BOX
        )
    top, bottom, left, right = [margins] * 4 if isinstance(margins, int) else margins
    x, y = size[0] / W, size[1] / H
    inner = picture.resize(
        (max(1, round((W - left - right) * x)), max(1, round((H - top - bottom) * y)))
    )
    sheet = Image.new("RGB", size, "grey")
    sheet.paste(inner, (round(left * x), round(top * y)))
    return sheet


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """The picture with sides of at most `side`."""
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(n * scale)) for n in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2)


def uri(picture: Image.Image, most: int, side: int = SIDE) -> str:
    """A data URI of at most about `most` bytes of picture, as much smaller as that takes; empty where nothing of use would be left."""
    while side >= SMALLEST:
        small = fitted(picture, side)
        kind, data = encoded(small)
        if len(data) <= most:
            return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        side = int(max(small.size) * min(0.85, (most / len(data)) ** 0.5))
    return ""


def encoded(picture: Image.Image) -> tuple[str, bytes]:
    """PNG of small pictures, JPEG of larger ones."""
    stream = io.BytesIO()
    if max(picture.size) <= LOSSLESS:
        picture.save(stream, format="PNG")
        return "png", stream.getvalue()
    picture.save(stream, format="JPEG", quality=85, subsampling=0)
    return "jpeg", stream.getvalue()
