"""Picture files read: any mode and depth as RGB in [0, 1], upright, with what is to follow it."""

import errno
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from gdp.picture.alpha import fill_transparent
from gdp.picture.codec import exif, png16, tiff
from gdp.picture.codec.deep import photo_of_deep
from gdp.picture.codec.kinds import HEIC, TIFF_STARTS, brand, fault, is_raw, unsupported
from gdp.picture.codec.pages import page_of
from gdp.picture.codec.raw import develop, tells_raw
from gdp.picture.codec.shallow import photo_of
from gdp.picture.photo import Photo, RefusedError, TooLargeError
from gdp.storage.places import expand

# PIL's readers that are used; none of them runs programs.
FORMATS = (
    "PNG",
    "JPEG",
    "MPO",
    "WEBP",
    "TIFF",
    "BMP",
    "DIB",
    "GIF",
    "AVIF",
    "HEIF",
    "PPM",
    "JPEG2000",
)
LARGEST = 2**31  # bytes of a file that is not a TIFF
BITS, PHOTOMETRIC, TILE_WIDTH, TILE_HEIGHT = 258, 262, 322, 323  # TIFF's tags
QUIET = threading.Lock()  # warnings' filters and loggers' levels are the process's


def read(path: str | Path, page: int | None = None) -> Photo:
    """Read a picture file.

    Args:
        path: PNG, JPEG, TIFF, WebP and others, of any mode and depth.
        page: which of a file's pictures, from 1; needed where there are several.

    Returns:
        The photo, upright, in RGB; visible colours go on under what is fully transparent.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no picture, is damaged, claims too many pixels, or holds values that
            are none.
    """
    photo = decode(path, page)
    if photo.alpha is None:
        return photo
    return photo._replace(pixels=fill_transparent(photo.pixels, photo.alpha))


def decode(path: str | Path, page: int | None = None, any_scale: bool = False) -> Photo:
    """Read a picture file as `read` does, but leave the pixels under transparency as they are.

    With `any_scale` floats may also go to 255 or 65535, which become 1.
    """
    file = expand(path)
    if not file.is_file():
        raise FileNotFoundError(f"no such file: {file}")
    with file.open("rb") as stream:
        head = stream.read(32)
    if file.stat().st_size > LARGEST and head[:4] not in TIFF_STARTS:
        raise ValueError(f"{file} is larger than {LARGEST >> 30} GB; save it anew, as PNG or JPEG")

    # Whatever goes wrong is said with a remedy.
    try:
        with quiet_libraries():
            return open_photo(file, head, page, any_scale)
    except (Image.DecompressionBombError, TooLargeError):
        raise ValueError(
            f"{file} claims more than {Image.MAX_IMAGE_PIXELS} pixels; crop or shrink it first"
        ) from None
    except UnidentifiedImageError:
        raise ValueError(f"{file} {fault(head)}") from None
    except MemoryError:
        raise ValueError(f"{file} does not fit into memory; crop or shrink it first") from None
    except RefusedError as error:
        raise ValueError(f"{file} {error}") from None
    except Exception as error:  # PIL's plugins raise whatever damage makes them raise
        # EINVAL is a place in the file that cannot be; other numbers are the system's trouble.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{file} is damaged ({reason}); save it again from its source") from None


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence PIL and tifffile: what they warn of is said by this module, or does no harm."""
    loggers = [logging.getLogger(name) for name in ("PIL", "tifffile")]
    with QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        levels = [logger.level for logger in loggers]

        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def open_photo(file: Path, head: bytes, page: int | None, any_scale: bool) -> Photo:
    """Open a picture that begins with `head` by the reader that keeps its depth.

    It raises RefusedError, TooLargeError, and whatever PIL and tifffile raise.
    """
    most = Image.MAX_IMAGE_PIXELS or float("inf")
    if words := unsupported(file, head):
        raise RefusedError(words)
    if is_raw(file, head):
        return photo_of_deep(develop(file, most), file.name, None)

    # PIL reads HEIC where pillow-heif is installed.
    if brand(head) in HEIC:
        with suppress(ImportError):
            from pillow_heif import register_heif_opener

            register_heif_opener()

    Image.init()
    try:
        picture = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    except UnidentifiedImageError:
        if head[:4] not in TIFF_STARTS:
            raise
        deep = tiff.read_tiff(file, most, page)
        if deep is None:
            deep = develop(file, most)
        return photo_of_deep(deep, file.name, None, any_scale)
    with picture:
        return photo_of_opened(picture, file, head, page, any_scale)


def photo_of_opened(
    picture: Image.Image, file: Path, head: bytes, page: int | None, any_scale: bool
) -> Photo:
    """A photo of a file that PIL has opened; see `open_photo`."""
    most = Image.MAX_IMAGE_PIXELS or float("inf")
    if picture.format == "TIFF" and tells_raw(getattr(picture, "tag_v2", {})):
        return photo_of_deep(develop(file, most), file.name, None)
    place = page_of(picture, file, page)
    if place:
        picture.seek(place)

    # A bomb is refused before it is unpacked; a TIFF's tile may be larger than its picture.
    tags: Any = getattr(picture, "tag_v2", {}) if picture.format == "TIFF" else {}
    if picture.width * picture.height > most:
        raise TooLargeError
    if tags.get(TILE_WIDTH, 0) * tags.get(TILE_HEIGHT, 0) > most:
        raise TooLargeError

    # PNG of 16 bits in colours.
    if head[:8] == png16.START and head[24:25] == b"\x10" and picture.mode in ("RGB", "RGBA"):
        transparent = picture.info.get("transparency")
        picture.load()  # checks the chunks after the pixels, and finds the EXIF there
        deep = png16.read_png16(file, transparent if isinstance(transparent, tuple) else None)
        deep = deep._replace(
            icc=picture.info.get("icc_profile"), orientation=exif.orientation(picture)
        )
        return photo_of_deep(deep, file.name, picture)

    # TIFF of more than 8 bits in colours, or of numbers.
    bits = tags.get(BITS, 1) if picture.format == "TIFF" else 16
    bits = bits if isinstance(bits, tuple) else (int(bits),)
    colours = picture.mode in ("RGB", "RGBA", "RGBX", "LA", "I", "F")
    if picture.format == "TIFF" and colours and max(bits) > 8:
        deep = tiff.read_place(file, most, place)
        return photo_of_deep(deep, file.name, picture, any_scale)

    # All else is whole in PIL's hands.
    white_is_zero = picture.mode.startswith("I;16") and tags.get(PHOTOMETRIC) == 0
    picture.load()
    notes = exif.extract(picture)  # before it is turned, which loses a TIFF's
    return photo_of(exif.upright(picture), file.name, bits[0], white_is_zero, any_scale)._replace(
        exif=notes
    )
