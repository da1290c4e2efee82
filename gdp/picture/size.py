"""How large a picture is, by its header alone."""

import warnings
from pathlib import Path

from PIL import Image

from gdp.picture.codec.exif import ORIENTATION

TURNED = 5  # EXIF orientations from here on exchange height and width


def size_of(file: Path) -> tuple[int, int] | None:
    """Height and width of a picture, upright, by its header alone; None where that cannot be told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as picture:
                width, height = picture.size
                turned = picture.getexif().get(ORIENTATION, 1) >= TURNED
    except Exception:  # of a damaged file: many kinds; its own turn will tell
        return None
    return (width, height) if turned else (height, width)
