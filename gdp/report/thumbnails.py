"""Small pictures for pages: cut from what a run saved, within a number of bytes, as data URIs."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gdp.report.summary import Entry, file_of, nested

BROKEN = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
# Pixels of a thumbnail's longer side: the most, and where one of too many bytes is given up.
SIDE, SMALLEST = 640, 32
# Pixels up to which pictures are PNG, and up to which each pixel is shown.
LOSSLESS, SMALL = 128, 64


def panels(folder: Path, entry: Entry) -> dict[str, Image.Image]:
    """Cut NAME.compare.png into its panels.

    Returns:
        Pictures in RGB by label: input, restored, and reference where there is one. Where the
        file is gone, only what is restored, or nothing.
    """
    try:
        with Image.open(folder / f"{entry.name}.compare.png") as sheet:
            boxes = {
                label: box
                for label, box in (entry.report.get("panels") or {}).items()
                if is_box(box, sheet.size)
            }
            if boxes:
                return {label: sheet.crop(box).convert("RGB") for label, box in boxes.items()}
    except BROKEN:
        pass

    whole = open_rgb(folder / file_of(entry))
    return {} if whole is None else {"restored": whole}


def is_box(box: Any, size: tuple[int, int]) -> bool:
    """Whether `box` is [left, top, right, bottom] within a picture of that width and height."""
    if not isinstance(box, Sequence) or len(box) != 4 or not all(isinstance(n, int) for n in box):
        return False
    left, top, right, bottom = box
    return 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]


def open_rgb(file: Path) -> Image.Image | None:
    """A picture as RGB; None where there is none that can be read."""
    try:
        with Image.open(file) as picture:
            return picture.convert("RGB")
    except BROKEN:
        return None


def lay_over(picture: Image.Image, entry: Entry, size: tuple[int, int]) -> Image.Image:
    """Bring a photo's input to the size of its result.

    Args:
        picture: the input.
        entry: the photo; where its result goes beyond the input, this lies at its place there.
        size: width and height at which the result is shown.
    """
    margins = nested(entry.report, "config", "operator", "margins")
    if margins is None:
        enlarged = picture.width < size[0]
        return picture.resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX)

    # Outpainted: grey around it.
    W, H = entry.report["size"]
    top, bottom, left, right = [margins] * 4 if isinstance(margins, int) else margins
    x, y = size[0] / W, size[1] / H
    inner = picture.resize(
        (max(1, round((W - left - right) * x)), max(1, round((H - top - bottom) * y)))
    )
    sheet = Image.new("RGB", size, "grey")
    sheet.paste(inner, (round(left * x), round(top * y)))
    return sheet


def shrink(picture: Image.Image, side: int) -> Image.Image:
    """The picture with sides of at most `side` pixels."""
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(n * scale)) for n in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2)


def data_uri(picture: Image.Image, most: int, side: int = SIDE) -> str:
    """Encode a picture into a data URI, as much smaller as it has to be.

    Args:
        picture: in RGB.
        most: bytes of the encoded picture.
        side: pixels of its longer side, at most.

    Returns:
        The URI; empty where nothing of use would be left.
    """
    while side >= SMALLEST:
        small = shrink(picture, side)
        kind = "png" if max(small.size) <= LOSSLESS else "jpeg"
        stream = io.BytesIO()
        settings = {} if kind == "png" else {"quality": 85, "subsampling": 0}
        small.save(stream, format=kind, **settings)

        data = stream.getvalue()
        if len(data) <= most:
            return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        side = int(max(small.size) * min(0.85, (most / len(data)) ** 0.5))
    return ""
