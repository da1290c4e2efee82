"""Pictures of more than 8 bits a channel that PIL would reduce to 8: PNG of 16 bits, TIFF of 16-bit integers or floats."""

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from gdp.picture.photo import TooLargeError

if TYPE_CHECKING:
    from tifffile import TiffPage

PNG = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of PNG, by channels
UNPACKED, DEFLATE, LZW, PACKBITS = (
    1,
    (8, 32946),
    5,
    32773,
)  # TIFF's compressions whose size in memory is known before
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # TIFF's photometric interpretations
PREMULTIPLIED, ALPHA = 1, 2  # TIFF's kinds of extra channels


class Deep(NamedTuple):
    """What a file holds: values [H, W, C] as stored; C = 1 or 3, and one more where `alpha`."""

    values: np.ndarray
    alpha: bool
    icc: bytes | None = None
    orientation: int = 1
    premultiplied: bool = False


def is_png16(head: bytes) -> bool:
    """Whether a file that begins so is a PNG of 16 bits a channel."""
    return head[:8] == PNG and len(head) > 24 and head[24] == 16


def read_png16(file: Path, key: tuple[int, ...] | None) -> Deep:
    """A 16-bit PNG by libpng, which torchvision has with it. `key` is the colour that stands for transparent, if one does."""
    from torchvision.io import ImageReadMode, decode_png

    data = torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.uint8)
    try:
        decoded = decode_png(data, ImageReadMode.UNCHANGED)
    except RuntimeError:
        raise ValueError("its data end early or are corrupt") from None
    if decoded.dtype != torch.uint16:
        raise ValueError("16-bit PNG needs torchvision 0.20 or newer")
    values = decoded.permute(1, 2, 0).numpy()
    if key is not None and values.shape[-1] in (1, 3):
        seen = (values != np.array(key, np.uint16)).any(-1, keepdims=True)
        values = np.concatenate([values, seen.astype(np.uint16) * 65535], -1)
    return Deep(values, values.shape[-1] in (2, 4))


def png16(values: np.ndarray, icc: bytes | None = None, exif: bytes | None = None) -> bytes:
    """A PNG file of values uint16 [H, W, C], C = 1 to 4; each row is stored as differences to the pixel at its left."""
    H, W, C = values.shape
    rows = np.ascontiguousarray(values.astype(">u2")).view(np.uint8).reshape(H, -1)
    rows[:, 2 * C :] -= rows[:, : -2 * C].copy()
    sub = np.concatenate([np.ones((H, 1), np.uint8), rows], 1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", W, H, 16, COLOUR_TYPES[C], 0, 0, 0))]
    if icc:
        chunks.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc)))
    if exif:
        chunks.append((b"eXIf", exif.removeprefix(b"Exif\0\0")))
    chunks += [(b"IDAT", zlib.compress(sub.tobytes(), 6)), (b"IEND", b"")]
    return PNG + b"".join(
        struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d))
        for kind, d in chunks
    )


def read_tiff(file: Path, most: float) -> Deep:
    """The first page of a TIFF by tifffile. ValueError where it has more than `most` pixels or is of a kind that is not read."""
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        H, W, C = page.imagelength, page.imagewidth, page.samplesperpixel
        if most < H * W or page.imagedepth != 1 or C > 5:
            raise TooLargeError
        colours = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3}.get(int(page.photometric), 0)
        if not colours or colours > C or page.dtype is None:
            raise ValueError(
                f"it stores colours as {getattr(page.photometric, 'name', page.photometric)}, not as RGB or grey"
            )
        check_packing(page)
        values = np.asarray(page.asarray()).reshape(
            (C, H, W) if page.planarconfig == 2 else (H, W, C)
        )
        if page.planarconfig == 2:
            values = values.transpose(1, 2, 0)
        extra = [int(kind) for kind in page.extrasamples][:1]
        alpha = extra in ([PREMULTIPLIED], [ALPHA])
        values = values[..., : colours + alpha]
        if page.photometric == WHITE_IS_ZERO and values.dtype.kind == "u":
            values = np.concatenate(
                [np.iinfo(values.dtype).max - values[..., :1], values[..., 1:]], -1
            )
        tags = {code: page.tags[code].value for code in (274, 34675) if code in page.tags}
        icc, turned = tags.get(34675), tags.get(274)
        return Deep(
            values,
            alpha,
            icc if isinstance(icc, bytes) else None,
            turned if isinstance(turned, int) else 1,
            extra == [PREMULTIPLIED],
        )


def check_packing(page: "TiffPage") -> None:
    """ValueError where a page's data are not all there, or would take another size in memory than its header says."""
    from tifffile import TiffFileError

    packed = int(page.compression)
    if packed not in (UNPACKED, *DEFLATE, LZW, PACKBITS):
        raise ValueError(
            f"its compression {getattr(page.compression, 'name', packed)} is not read at this depth"
        )
    if len(page.dataoffsets) != len(page.databytecounts):
        raise TiffFileError("its parts and their sizes do not match")
    ends = [
        offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
    ]
    if not ends or max(ends) > page.parent.filehandle.size or min(page.databytecounts) < 1:
        raise TiffFileError("its data end early")
    assert page.dtype is not None
    if packed == UNPACKED and sum(page.databytecounts) < page.nbytes:
        raise TiffFileError("its data end early")
    segment = int(np.prod(page.chunks)) * page.dtype.itemsize
    if packed != UNPACKED and max(page.databytecounts) > 2 * segment + 4096:
        raise TiffFileError("a part of it holds more than its header says")
    if packed in DEFLATE:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            page.parent.filehandle.seek(offset)
            if not inflates_to(page.parent.filehandle.read(count), segment):
                raise TiffFileError("a part of it does not hold what its header says")


def inflates_to(data: bytes, most: int) -> bool:
    """Whether zlib data are whole and inflate to at most that many bytes; found in little memory."""
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
    """Save values uint16 or float32 [H, W, C], C = 1 to 4 with alpha last where even, as a TIFF; `texts` are (tag, text)."""
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
