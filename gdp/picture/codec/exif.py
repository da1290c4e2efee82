"""EXIF: what of it may follow a photo to its result."""

from PIL import ExifTags, Image

ORIENTATION = 0x0112
WIDTH, HEIGHT = 0xA002, 0xA003
SUB = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
# Description, camera, resolution, software, date, artist, copyright. How the old file is laid out, and its thumbnail, must not follow.
TOP = (0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x8298)


def kept(picture: Image.Image) -> bytes | None:
    """The EXIF of a photo, for it turned upright: no orientation, thumbnail and layout; None where nothing is left or it is damaged."""
    new = Image.Exif()
    try:
        exif = picture.getexif()
        new.update({tag: exif[tag] for tag in TOP if tag in exif})
        for ifd in SUB:
            if part := exif.get_ifd(ifd):
                new.get_ifd(ifd).update(
                    {k: v for k, v in part.items() if k != ExifTags.IFD.Interop}
                )
        return new.tobytes() if len(new) or any(new.get_ifd(ifd) for ifd in SUB) else None
    except Exception:  # damage makes PIL raise whatever it meets
        return None


def resized(data: bytes, width: int, height: int) -> bytes:
    """`data` with the picture's size in it made that of the result."""
    exif = Image.Exif()
    exif.load(data)
    sub = exif.get_ifd(ExifTags.IFD.Exif)
    if WIDTH in sub or HEIGHT in sub:
        sub.update({WIDTH: width, HEIGHT: height})
    return exif.tobytes()


def texts(data: bytes) -> list[tuple[int, str]]:
    """(tag, text) of what is plain text at the top."""
    exif = Image.Exif()
    exif.load(data)
    return [(tag, value) for tag in TOP if isinstance(value := exif.get(tag), str)]
