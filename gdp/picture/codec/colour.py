"""Colour profiles (ICC): an RGB photo keeps its own; CMYK, Lab, and grey with a curve of its own become sRGB."""

import logging
from io import BytesIO

from PIL import Image

KINDS = {
    "RGB": b"RGB ",
    "RGBA": b"RGB ",
    "L": b"GRAY",
    "LA": b"GRAY",
    "CMYK": b"CMYK",
    "LAB": b"Lab ",
}
LARGEST = 2**20  # bytes: readers of PNG refuse larger ones
log = logging.getLogger("gdp")


def kind_of(icc: bytes | None) -> bytes:
    """The colours that a profile describes, such as b"RGB "; empty where there is no profile, or it is damaged."""
    if not icc or len(icc) < 132 or icc[36:40] != b"acsp":
        return b""
    from PIL import ImageCms

    try:
        ImageCms.ImageCmsProfile(BytesIO(icc))
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return b""
    return icc[16:20]


def kept(icc: object, mode: str, name: str) -> bytes | None:
    """The profile of a picture of that PIL mode, where it fits an RGB or grey result; a warning where one is given and does not."""
    if not isinstance(icc, bytes) or not icc:
        return None
    kind = kind_of(icc)
    grey = mode in ("1", "L", "LA", "F") or mode.startswith("I")
    if (kind == b"RGB " and mode not in ("CMYK", "LAB")) or (kind == b"GRAY" and grey):
        if len(icc) <= LARGEST:
            return icc
        log.warning("%s: its colour profile is larger than 1 MB and is not kept", name)
    else:
        log.warning(
            "%s: its colour profile %s; it is ignored",
            name,
            "does not fit its pixels" if kind else "is damaged",
        )
    return None


def to_srgb(picture: Image.Image, icc: object) -> tuple[Image.Image, bool]:
    """(a CMYK, Lab or grey picture in sRGB, True) through its profile; (the picture, False) where that is neither needed nor possible.

    Grey keeps its mode. Without a profile Lab is the standard one, and CMYK is left to PIL.
    """
    if picture.mode not in ("CMYK", "LAB", "L"):
        return picture, False
    from PIL import ImageCms

    usable = isinstance(icc, bytes) and kind_of(icc) == KINDS[picture.mode]
    if usable and isinstance(icc, bytes):
        source = ImageCms.ImageCmsProfile(BytesIO(icc))
    elif picture.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    else:
        return picture, False
    srgb = ImageCms.createProfile("sRGB")
    try:
        converted = ImageCms.profileToProfile(
            picture,
            source,
            srgb,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except ImageCms.PyCMSError:
        return picture, False
    assert converted is not None
    return (converted.convert("L") if picture.mode == "L" else converted), True
