"""Picture files read: any mode and depth as RGB in [0, 1], upright, with what is to follow it to the result."""

import errno
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from gdp.picture.alpha import spread
from gdp.picture.codec import colour as picture_colour
from gdp.picture.codec import exif as picture_exif
from gdp.picture.codec.deep import Deep, is_png16, read_png16, read_tiff
from gdp.picture.photo import Photo, RefusedError, TooLargeError, checked, tensor, turned

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
)  # none of which runs programs
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
STARTS = (*TIFF_STARTS, b"\x89PNG\r\n", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM")
LARGEST = 2**31  # bytes of a file that is not a TIFF
QUIET = threading.Lock()  # warnings' filters and loggers' levels are the process's


def read(path: str | Path) -> Photo:
    """A picture file as RGB, upright; visible colours go on under what is fully transparent.

    FileNotFoundError, or ValueError where it is no picture, is damaged, claims too many pixels, or holds values that are none.
    """
    photo = decode(path)
    return (
        photo if photo.alpha is None else photo._replace(pixels=spread(photo.pixels, photo.alpha))
    )


def decode(path: str | Path) -> Photo:
    """`read`, with the pixels under transparent alpha as they are."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"no such file: {file}")
    with file.open("rb") as stream:
        head = stream.read(32)
    if file.stat().st_size > LARGEST and head[:4] not in TIFF_STARTS:
        raise ValueError(f"{file} is larger than {LARGEST >> 30} GB; save it anew, as PNG or JPEG")
    try:
        with quiet():
            return opened(file, head)
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
        if isinstance(error, OSError) and error.errno not in (
            None,
            errno.EINVAL,
        ):  # the last is a place in the file that cannot be
            raise
        told = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{file} is damaged ({told}); save it again from its source") from None


@contextmanager
def quiet() -> Iterator[None]:
    """What PIL and tifffile warn of and log is told by this module, or does no harm."""
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


def opened(file: Path, head: bytes) -> Photo:
    """The photo; raises what PIL and tifffile raise, and RefusedError."""
    if head[4:8] == b"ftyp" and head[8:11] != b"avi":
        register_heif()
    most = Image.MAX_IMAGE_PIXELS or float("inf")
    try:
        picture = Image.open(file, formats=[f for f in FORMATS if f in known_formats()])
    except UnidentifiedImageError:
        if head[:4] in TIFF_STARTS:
            return deep_photo(file, read_deep_tiff(file, most), None)
        raise
    with picture:
        if picture.width * picture.height > most or (
            picture.format == "TIFF" and tile_area(picture) > most
        ):
            raise TooLargeError
        if is_png16(head) and picture.mode in ("RGB", "RGBA"):
            key = picture.info.get("transparency")
            picture.load()  # checks the chunks after the pixels, and finds the EXIF there
            deep = read_png16(file, key if isinstance(key, tuple) else None)
            return deep_photo(
                file,
                deep._replace(
                    icc=picture.info.get("icc_profile"), orientation=orientation(picture)
                ),
                picture,
            )
        if (
            picture.format == "TIFF"
            and picture.mode in ("RGB", "RGBA", "RGBX", "LA", "I", "F")
            and max(bits(picture)) > 8
        ):
            return deep_photo(file, read_deep_tiff(file, most), picture)
        shallow = bits(picture)[0] if picture.format == "TIFF" else 16
        inverted = (
            picture.format == "TIFF"
            and picture.mode.startswith("I;16")
            and picture.tag_v2.get(262) == 0  # type: ignore[attr-defined]
        )
        picture.load()
        exif = picture_exif.kept(picture)  # before it is turned, which loses a TIFF's
        return plain_photo(file, upright(picture), shallow, inverted)._replace(exif=exif)


def plain_photo(file: Path, picture: Image.Image, bit: int, inverted: bool) -> Photo:
    """The photo of a picture that PIL holds whole; `bit`s are those of its integers of more than 8."""
    mode, icc = picture.mode, picture.info.get("icc_profile")
    grey = mode in ("1", "L", "LA", "La", "F") or mode.startswith("I")
    alpha = None
    if mode.startswith("I") or mode == "F":
        values = np.asarray(picture)[..., None]
        key = picture.info.get("transparency")
        if isinstance(key, int) and mode != "F":
            alpha = values[..., 0] != key
        if mode != "F" and (values.min() < 0 or values.max() > 65535):
            raise RefusedError(
                f"holds whole numbers from {values.min()} to {values.max()}; save it with 16 bits a channel"
            )
        white = 2 ** min(bit, 16) - 1 if mode.startswith("I;16") else 65535
        scaled = values.astype(np.float32) / (1 if mode == "F" else white)
        scaled = 1 - scaled if inverted else scaled
        depth, rounding = (32, 0.0) if mode == "F" else (16, 1 / (white * 12**0.5))
        icc = picture_colour.kept(icc, mode, file.name)
    else:
        if picture.has_transparency_data:
            rgba = picture.convert("RGBA")
            alpha, picture = (
                np.asarray(rgba)[..., 3] / 255,
                rgba.convert("RGB").convert("L" if grey else "RGB"),
            )
        picture, converted = picture_colour.to_srgb(picture, icc)
        icc = None if converted else picture_colour.kept(icc, mode, file.name)
        scaled = np.asarray(picture.convert("L" if grey else "RGB"), dtype=np.float32) / 255
        depth, rounding = 8, 1 / (255 * 12**0.5)
        scaled = scaled.reshape(*scaled.shape[:2], -1)
    return Photo(
        tensor(checked(scaled), 3),
        rounding,
        None if alpha is None else tensor(alpha[..., None], 1),
        icc,
        None,
        grey,
        depth,
    )


def deep_photo(file: Path, deep: Deep, picture: Image.Image | None) -> Photo:
    """The photo of 16-bit integers or floats; `picture` is what PIL makes of the file, for its EXIF."""
    values = turned(deep.values, deep.orientation)
    floats, white = values.dtype.kind == "f", 1
    if not floats:
        if values.dtype.kind not in "ui" or values.min() < 0 or values.max() > 65535:
            raise RefusedError(
                f"holds {values.dtype} numbers from {values.min()} to {values.max()}; save it with 16 bits a channel"
            )
        white = 255 if values.dtype == np.uint8 else 65535
    scaled = checked(values.astype(np.float32) / white)
    colours, alpha = (scaled[..., :-1], scaled[..., -1:]) if deep.alpha else (scaled, None)
    if deep.premultiplied and alpha is not None:
        colours = np.clip(colours / np.maximum(alpha, 1 / 65535), 0, 1)
    grey = colours.shape[-1] == 1
    icc = picture_colour.kept(deep.icc, "L" if grey else "RGB", file.name)
    exif = None if picture is None else picture_exif.kept(picture)
    depth = 32 if floats else 16 if white == 65535 else 8
    rounding = 0.0 if floats else 1 / (white * 12**0.5)
    return Photo(
        tensor(colours, 3),
        rounding,
        None if alpha is None else tensor(alpha, 1),
        icc,
        exif,
        grey,
        depth,
    )


def read_deep_tiff(file: Path, most: float) -> Deep:
    """`read_tiff`; RefusedError, with a remedy, where a codec is missing or its kind is not read."""
    from tifffile import TiffFileError

    try:
        return read_tiff(file, most)
    except (TiffFileError, TooLargeError):
        raise
    except ValueError as error:
        if "imagecodecs" in str(error):
            raise RefusedError(
                "needs the package imagecodecs to be read; install it, or save it without compression or as ZIP"
            ) from None
        raise RefusedError(
            f"cannot be read: {error}; save it as RGB, without compression or as ZIP"
        ) from None


def bits(picture: Image.Image) -> tuple[int, ...]:
    """Bits a channel of a TIFF."""
    found = picture.tag_v2.get(258, 1)  # type: ignore[attr-defined]
    return found if isinstance(found, tuple) else (int(found),)


def tile_area(picture: Image.Image) -> int:
    """Pixels of a TIFF's tile, as it claims, however small the picture is; 0 where it has none."""
    width, height = (picture.tag_v2.get(tag, 0) for tag in (322, 323))  # type: ignore[attr-defined]
    return width * height


def orientation(picture: Image.Image) -> int:
    """EXIF's, 1 to 8; 1 where there is none, or none that can be read."""
    try:
        found = picture.getexif().get(picture_exif.ORIENTATION, 1)
    except Exception:  # damage makes PIL raise whatever it meets
        return 1
    return found if isinstance(found, int) else 1


def upright(picture: Image.Image) -> Image.Image:
    """The picture turned as its EXIF says, where that can be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damage makes PIL raise whatever it meets
        return picture


def known_formats() -> dict[str, Any]:
    """PIL's readers, by name."""
    Image.init()
    return Image.OPEN


def register_heif() -> None:
    """Have PIL read HEIC, where pillow-heif is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()


def fault(head: bytes) -> str:
    """What is wrong with a file that begins so and that PIL does not know, and what to do."""
    if head[4:8] == b"ftyp" and head[8:11] == b"avi" and not features.check("avif"):
        return "is AVIF, which needs a newer pillow (pip install -U pillow); or convert it to PNG"
    if head[4:8] == b"ftyp" and head[8:11] != b"avi" and find_spec("pillow_heif") is None:
        return "is HEIC, which needs the package pillow-heif (pip install pillow-heif); or convert it to JPEG"
    if head[4:8] == b"ftyp" or head.startswith(STARTS):
        return "is damaged where it begins; save it again from its source"
    return "is not a picture that can be read; convert it to PNG or JPEG"
