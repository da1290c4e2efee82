"""EXIF: how a photo lies, and what of its notes may follow it to its result."""

import math

from PIL import ExifTags, Image, ImageOps

ORIENTATION = 0x0112
WIDTH, HEIGHT = 0xA002, 0xA003
ISO = ExifTags.Base.ISOSpeedRatings
# Description, camera, resolution, software, date, artist and copyright follow. How the old file
# is laid out, and its thumbnail, must not.
TOP = (0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x8298)
SUB = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo


def extract(picture: Image.Image) -> bytes | None:
    """Take from a photo the EXIF that stays true of its result, which stands upright.

    Returns:
        EXIF without orientation, thumbnail and layout; None where nothing is left, or it is
        damaged.
    """
    portable = Image.Exif()
    try:
        exif = picture.getexif()
        portable.update({tag: exif[tag] for tag in TOP if tag in exif})

        for ifd in SUB:
            if part := exif.get_ifd(ifd):
                portable.get_ifd(ifd).update(
                    {k: v for k, v in part.items() if k != ExifTags.IFD.Interop}
                )

        anything = len(portable) or any(portable.get_ifd(ifd) for ifd in SUB)
        return portable.tobytes() if anything else None
    except Exception:  # damage makes PIL raise whatever it meets
        return None


def orientation(picture: Image.Image) -> int:
    """The orientation that EXIF says, 1 to 8; 1 where there is none, or none can be read."""
    try:
        value = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # damage makes PIL raise whatever it meets
        return 1
    return value if isinstance(value, int) else 1


def upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF says, where that can be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damage makes PIL raise whatever it meets
        return picture


def with_size(data: bytes, width: int, height: int) -> bytes:
    """The EXIF `data` with its width and height, if it has them, replaced by a result's."""
    exif = Image.Exif()
    exif.load(data)
    sub = exif.get_ifd(ExifTags.IFD.Exif)
    if WIDTH in sub or HEIGHT in sub:
        sub.update({WIDTH: width, HEIGHT: height})
    return exif.tobytes()


def exposure(data: bytes | None) -> float | None:
    """The light that a camera let in, in stops from anywhere: log2 of time x ISO / f-number^2.

    Returns:
        None where the EXIF `data` has no time. Without ISO or f-number these count as 1, as they
        are the same in all photos of a scene that lack them.
    """
    exif = Image.Exif()
    try:
        exif.load(data or b"")
        sub = exif.get_ifd(ExifTags.IFD.Exif)
        seconds, number, iso = (
            float(sub.get(tag, 1))
            for tag in (ExifTags.Base.ExposureTime, ExifTags.Base.FNumber, ISO)
        )
        known = ExifTags.Base.ExposureTime in sub and min(seconds, number, iso) > 0
        return math.log2(seconds * iso / number**2) if known else None
    except Exception:  # damage makes PIL raise whatever it meets
        return None


def texts(data: bytes) -> list[tuple[int, str]]:
    """The top tags of the EXIF `data` that are plain texts, as (tag, text)."""
    exif = Image.Exif()
    exif.load(data)
    return [(tag, value) for tag in TOP if isinstance(value := exif.get(tag), str)]
