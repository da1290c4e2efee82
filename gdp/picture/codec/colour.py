"""Colour profiles (ICC): RGB stays in a photo's own; CMYK, Lab and odd greys become sRGB."""

import logging
from io import BytesIO

from PIL import Image

# The colour space in the header of a profile that fits a PIL mode.
SPACES = {
    "RGB": b"RGB ",
    "RGBA": b"RGB ",
    "L": b"GRAY",
    "LA": b"GRAY",
    "CMYK": b"CMYK",
    "LAB": b"Lab ",
}
LARGEST = 2**20  # bytes: readers of PNG refuse larger ones
log = logging.getLogger("gdp")


def space_of(icc: bytes | None) -> bytes:
    """The colours that a profile describes, such as b"RGB "; empty where it is none or damaged."""
    if not icc or len(icc) < 132 or icc[36:40] != b"acsp":
        return b""
    from PIL import ImageCms

    try:
        ImageCms.ImageCmsProfile(BytesIO(icc))
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return b""
    return icc[16:20]


def check_profile(icc: object, mode: str, name: str) -> bytes | None:
    """Take a picture's profile for its result, where it fits one in RGB or grey.

    Args:
        icc: what the file holds as its profile, if anything.
        mode: PIL's mode of the picture.
        name: the picture's, for a warning where the profile cannot be taken.
    """
    if not isinstance(icc, bytes) or not icc:
        return None

    space = space_of(icc)
    grey = mode in ("1", "L", "LA", "F") or mode.startswith("I")
    fits = (space == b"RGB " and mode not in ("CMYK", "LAB")) or (space == b"GRAY" and grey)
    if not fits:
        log.warning(
            "%s: its colour profile %s; it is ignored",
            name,
            "does not fit its pixels" if space else "is damaged",
        )
        return None

    if len(icc) > LARGEST:
        log.warning("%s: its colour profile is larger than 1 MB and is not kept", name)
        return None
    return icc


def to_srgb(picture: Image.Image, icc: object) -> tuple[Image.Image, bool]:
    """Convert a CMYK, Lab or grey picture to sRGB through its profile.

    Without a profile Lab is the standard one, and CMYK is left to PIL.

    Args:
        picture: of any mode; grey keeps its mode.
        icc: what the file holds as its profile, if anything.

    Returns:
        The picture in sRGB and True; the picture as it is and False, where a conversion is
        neither needed nor possible.
    """
    if picture.mode not in ("CMYK", "LAB", "L"):
        return picture, False
    from PIL import ImageCms

    # From which colours.
    if isinstance(icc, bytes) and space_of(icc) == SPACES[picture.mode]:
        source = ImageCms.ImageCmsProfile(BytesIO(icc))
    elif picture.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    else:
        return picture, False

    try:
        converted = ImageCms.profileToProfile(
            picture,
            source,
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except ImageCms.PyCMSError:
        return picture, False
    assert converted is not None

    return (converted.convert("L") if picture.mode == "L" else converted), True
