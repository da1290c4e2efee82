"""How large a picture is, by its header alone."""

import warnings
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from gdp.picture.codec.exif import ORIENTATION

TRANSPOSED = 5  # EXIF orientations from this one on exchange height and width


def size_of(file: Path | BinaryIO) -> tuple[int, int] | None:
    """Find out how large a picture is once it stands upright, without reading its pixels.

    Returns:
        Height and width in pixels; None where the header does not tell.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as picture:
                width, height = picture.size
                transposed = picture.getexif().get(ORIENTATION, 1) >= TRANSPOSED
    except Exception:  # a damaged file raises many kinds; whoever reads it says what is wrong
        return None

    return (width, height) if transposed else (height, width)
