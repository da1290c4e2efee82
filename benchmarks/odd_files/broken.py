"""Files that must be refused: bombs, and what is no picture at all."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from benchmarks.odd_files.files import (
    EITHER,
    REFUSED,
    Case,
    H,
    W,
    encoded,
    plain_tiff,
    png,
    tiff,
    values,
)

# Pixels a side that a bomb claims
HUGE = 60000


def bombs() -> Iterator[Case]:
    """Make small files that claim, or unpack to, gigabytes."""
    pixels = zlib.compress(b"\0" * (H * (1 + 3 * W)))
    flood = zlib.compress(b"\0" * 2**28, 9)

    # PNG and TIFF of both depths
    for depth in (8, 16):
        yield Case(f"huge{depth}.png", png(HUGE, HUGE, depth, 2, (b"IDAT", pixels)), REFUSED)
        yield Case(f"huge{depth}.tif", plain_tiff(HUGE, HUGE, depth, 1, b"\0" * 100), REFUSED)
        expected = EITHER if depth == 8 else REFUSED
        yield Case(f"flood{depth}.tif", plain_tiff(W, H, depth, 8, flood), expected)
        yield Case(f"flood{depth}.png", png(W, H, depth, 2, (b"IDAT", flood)))
        yield Case(f"tile{depth}.tif", plain_tiff(W, H, depth, 8, flood, tile=HUGE), REFUSED)
        raw_tile = plain_tiff(W, H, depth, 1, b"\0" * 100, tile=HUGE)
        yield Case(f"raw_tile{depth}.tif", raw_tile, REFUSED)
        strips = plain_tiff(W, H, depth, 1, b"\0" * 2000, strips=2**31)
        yield Case(f"strips{depth}.tif", strips, REFUSED)

    # PNG: sizes, texts and profiles
    yield Case("most.png", png(2**31 - 1, 2**31 - 1, 8, 6, (b"IDAT", pixels)), REFUSED)
    yield Case("none.png", png(0, 0, 8, 2, (b"IDAT", pixels)), REFUSED)
    text = (b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 2**20, 9))
    yield Case("many_texts.png", png(W, H, 8, 2, *[text] * 99, (b"IDAT", pixels)), REFUSED)
    for name, kind in (("text", b"zTXt"), ("profile", b"iCCP")):
        content = png(W, H, 8, 2, (kind, b"a\0\0" + flood), (b"IDAT", pixels))
        yield Case(f"{name}.png", content, REFUSED)

    # Sizes patched into sound files
    rgb = Image.fromarray(values())
    jpeg = bytearray(encoded(rgb, "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", HUGE, HUGE)
    yield Case("huge.jpg", bytes(jpeg), REFUSED)
    bmp = bytearray(encoded(rgb, "BMP"))
    bmp[18:26] = struct.pack("<ii", HUGE, HUGE)
    yield Case("huge.bmp", bytes(bmp), REFUSED)
    gif = bytearray(encoded(rgb.quantize(8), "GIF"))
    gif[6:10] = struct.pack("<HH", HUGE, HUGE)
    yield Case("huge.gif", bytes(gif), REFUSED)
    webp = bytearray(encoded(rgb, "WEBP"))
    webp[26:30] = struct.pack("<HH", 16383, 16383)
    yield Case("huge.webp", bytes(webp), REFUSED)


def impossible() -> Iterator[Case]:
    """Make files that hold no picture, or values that are none."""
    yield Case("empty.png", b"", REFUSED)
    yield Case("byte.jpg", b"\xff", REFUSED)
    yield Case("zeros.tif", bytes(4096), REFUSED)
    yield Case("words.png", b"hello, world\n" * 20, REFUSED)
    yield Case("page.jpg", b"<!doctype html><title>Not found</title>", REFUSED)
    yield Case("archive.webp", b"PK\x03\x04" + bytes(60), REFUSED)
    yield Case("pickle.png", b"\x80\x04\x95" + b"cos\nsystem\n(S'true'\ntR.", REFUSED)
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\nshowpage\n"
    yield Case("script.jpg", script, REFUSED)
    yield Case("random.bmp", np.random.default_rng(1).bytes(2000), REFUSED)
    yield Case("start.png", b"\x89PNG\r\n\x1a\n", REFUSED)
    yield Case("loop.tif", struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<HI", 0, 8), REFUSED)
    yield Case("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), REFUSED)

    # One value that is none
    strange = {"nan": np.nan, "inf": np.inf, "bright": 7.0, "negative": -1.0, "bytes": 255.0}
    for name, value in strange.items():
        array = (values() / 255).astype(np.float32)
        array[2, 3] = value
        yield Case(f"{name}.tif", tiff(array, photometric="rgb"), REFUSED)
        yield Case(f"{name}_grey.tif", tiff(array[..., 0], photometric="minisblack"), REFUSED)

    # Types that no picture has
    wide = values().astype(np.uint32) << 20
    yield Case("wide_integers.tif", tiff(wide, photometric="rgb"), REFUSED)
    below = values()[..., 0].astype(np.int16) - 300
    yield Case("below_zero.tif", tiff(below, photometric="minisblack"), REFUSED)
    imaginary = values()[..., 0].astype(np.complex64)
    yield Case("complex.tif", tiff(imaginary, photometric="minisblack"), REFUSED)
