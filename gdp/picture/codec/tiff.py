"""TIFF of 16-bit integers or floats, which PIL would reduce to 8 bits or does not know."""

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdp.picture.codec.deep import Deep
from gdp.picture.codec.pages import check_page, full_pages
from gdp.picture.codec.raw import tells_raw
from gdp.picture.photo import RefusedError, TooLargeError

if TYPE_CHECKING:
    from tifffile import TiffPage

# TIFF's compressions whose size in memory is known beforehand.
UNPACKED, DEFLATE, LZW, PACKBITS = 1, (8, 32946), 5, 32773
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # TIFF's photometric interpretations
PREMULTIPLIED, ALPHA = 1, 2  # TIFF's kinds of extra channels
ORIENTATION, PROFILE = 274, 34675  # TIFF's tags


def read_tiff(file: Path, most: float, page: int | None = None) -> Deep | None:
    """Read a page of a TIFF by tifffile.

    Args:
        file: the TIFF.
        most: pixels that are taken.
        page: which of its pages, from 1; needed where there are several.

    Returns:
        What it holds; None of a raw file.

    Raises:
        TooLargeError: it has more pixels.
        RefusedError: its kind is not read, or needs a package.
        TiffFileError: it is damaged.
    """
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        first = tiff.pages[0]
        if tells_raw({tag.code: tag.value for tag in getattr(first, "tags", ())}):
            return None
    places = full_pages(file)
    return read_place(file, most, places[check_page(len(places), page) - 1] if places else 0)


def read_place(file: Path, most: float, place: int) -> Deep:
    """Read the page of a TIFF at a place, from 0; see `read_tiff`."""
    from tifffile import TiffFile, TiffFileError

    try:
        with TiffFile(file) as tiff:
            return read_page(tiff.pages[place], most)
    except (TiffFileError, TooLargeError, RefusedError):
        raise
    except ValueError as error:
        if "imagecodecs" in str(error):
            raise RefusedError(
                "needs the package imagecodecs to be read; "
                "install it, or save it without compression or as ZIP"
            ) from None
        raise RefusedError(
            f"cannot be read: {error}; save it as RGB, without compression or as ZIP"
        ) from None


def read_page(page: Any, most: float) -> Deep:
    """The values of a TIFF's page, and what its tags say of them."""
    H, W, C = page.imagelength, page.imagewidth, page.samplesperpixel
    if most < H * W:
        raise TooLargeError
    colours = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3}.get(int(page.photometric), 0)
    if not colours or colours > C or page.dtype is None or page.imagedepth != 1:
        raise ValueError(
            f"it stores colours as {getattr(page.photometric, 'name', page.photometric)}, "
            "not as RGB or grey"
        )
    kinds = [int(kind) for kind in page.extrasamples]
    transparent = kinds[:1] in ([PREMULTIPLIED], [ALPHA])
    if colours + 1 < C or (C == 2 and not transparent):
        raise RefusedError(
            f"has {C} channels; a photo is grey or RGB, with or without transparency, so save "
            "the channels that are the picture"
        )
    check_packing(page)

    # [H, W, C], however the channels are laid out in the file.
    values = np.asarray(page.asarray()).reshape((C, H, W) if page.planarconfig == 2 else (H, W, C))
    if page.planarconfig == 2:
        values = values.transpose(1, 2, 0)

    # Colours, and transparency if that is what the first extra channel holds.
    values = values[..., : colours + transparent]
    if page.photometric == WHITE_IS_ZERO and values.dtype.kind == "u":
        black_is_zero = np.iinfo(values.dtype).max - values[..., :1]
        values = np.concatenate([black_is_zero, values[..., 1:]], -1)

    tags = {code: page.tags[code].value for code in (ORIENTATION, PROFILE) if code in page.tags}
    icc, orientation = tags.get(PROFILE), tags.get(ORIENTATION)
    return Deep(
        values,
        transparent,
        icc if isinstance(icc, bytes) else None,
        orientation if isinstance(orientation, int) else 1,
        kinds[:1] == [PREMULTIPLIED],
    )


def check_packing(page: "TiffPage") -> None:
    """Check that a page's data are all there, and take the memory that its header says.

    Raises:
        ValueError: its compression is not one whose size in memory is known beforehand.
        TiffFileError: its data are not what the header says.
    """
    from tifffile import TiffFileError

    packed = int(page.compression)
    if packed not in (UNPACKED, *DEFLATE, LZW, PACKBITS):
        raise ValueError(
            f"its compression {getattr(page.compression, 'name', packed)} is not read at this depth"
        )

    # All parts lie within the file.
    if len(page.dataoffsets) != len(page.databytecounts):
        raise TiffFileError("its parts and their sizes do not match")
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    ends = [offset + count for offset, count in parts]
    if not ends or max(ends) > page.parent.filehandle.size or min(page.databytecounts) < 1:
        raise TiffFileError("its data end early")
    assert page.dtype is not None
    if packed == UNPACKED and sum(page.databytecounts) < page.nbytes:
        raise TiffFileError("its data end early")

    # None unpacks to more than its share of the picture.
    segment = int(np.prod(page.chunks)) * page.dtype.itemsize
    if packed != UNPACKED and max(page.databytecounts) > 2 * segment + 4096:
        raise TiffFileError("a part of it holds more than its header says")
    if packed in DEFLATE:
        for offset, count in parts:
            page.parent.filehandle.seek(offset)
            if not inflates_to(page.parent.filehandle.read(count), segment):
                raise TiffFileError("a part of it does not hold what its header says")


def inflates_to(data: bytes, most: int) -> bool:
    """Whether zlib data are whole and inflate to at most so many bytes; found in little memory."""
    stream, total = zlib.decompressobj(), 0
    while not stream.eof:
        part = stream.decompress(data, 2**20)
        total, data = total + len(part), stream.unconsumed_tail
        if total > most or (not part and not data):
            return False
    return True


def write_tiff(
    values: np.ndarray,
    file: Path,
    icc: bytes | None = None,
    texts: list[tuple[int, str]] | None = None,
) -> None:
    """Save a TIFF of 16-bit integers or floats.

    Args:
        values: uint16 or float32 [H, W, C], C = 1 to 4, transparency last where C is even.
        file: the TIFF to write.
        icc: colour profile.
        texts: (tag, text) to put at the top.
    """
    from tifffile import imwrite

    C = values.shape[-1]
    imwrite(
        file,
        values[..., 0] if C == 1 else values,
        photometric="rgb" if C > 2 else "minisblack",
        planarconfig=None if C == 1 else "contig",
        extrasamples=["unassalpha"] if C in (2, 4) else None,
        iccprofile=icc,
        extratags=[
            (tag, 2, None, text.encode("ascii", "replace").decode(), True)
            for tag, text in texts or []
        ],
        metadata=None,
    )
