"""Files by hand and by library: small pictures, and headers that may claim anything."""

import io
import struct
import zlib
from typing import Any, NamedTuple

import numpy as np
import tifffile
from PIL import Image

# Size of the pictures
H, W = 16, 20

# What must come of a file
RESTORED, REFUSED, EITHER = "restored", "refused", "either"


class Case(NamedTuple):
    """A file, and what must come of it: restored, refused, or either."""

    name: str
    data: bytes
    expected: str = EITHER


def values(channels: int = 3, seed: int = 0) -> np.ndarray:
    """Draw a small picture, uint8 [H, W, channels]: a slope with noise."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(40, 200, W)[None, :, None] + np.linspace(0, 40, H)[:, None, None]
    return (slope + rng.normal(0, 6, (H, W, channels))).clip(0, 255).astype(np.uint8)


def encoded(picture: Image.Image, kind: str, **settings: Any) -> bytes:
    """Encode a picture by PIL."""
    stream = io.BytesIO()
    picture.save(stream, kind, **settings)
    return stream.getvalue()


def tiff(array: np.ndarray, **settings: Any) -> bytes:
    """Encode an array by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **settings)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Pack a PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colours: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Pack a PNG whose header claims anything."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)),
        *chunks,
        (b"IEND", b""),
    ]

    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def plain_tiff(
    width: int, height: int, bits: int, packing: int, data: bytes, tile: int = 0, strips: int = 1
) -> bytes:
    """Pack an RGB TIFF of one strip, or of one square tile, whose tags claim anything."""
    # Size, depth, compression and layout
    at, count = (324, 325) if tile else (273, 279)
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (259, 3, 1, packing),
        (262, 3, 1, 2),
        (277, 3, 1, 3),
        (284, 3, 1, 1),
    ]
    tags += [(322, 4, 1, tile), (323, 4, 1, tile)] if tile else [(278, 4, 1, height)]

    # Depths and data lie behind the tags
    end = 14 + 12 * (len(tags) + 3)
    tags += [(258, 3, 3, end), (at, 4, strips, end + 6), (count, 4, strips, len(data))]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    return head + entries + struct.pack("<I3H", 0, bits, bits, bits) + data
