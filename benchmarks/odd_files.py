"""Picture files that are broken or odd, made from fixed seeds: what benchmarks/fuzz.py and the tests feed the program with."""

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import tifffile
from PIL import Image, ImageCms, features

from gdp.picture.codec.png16 import png16

H, W = 16, 20
CUTS = (0.02, 0.2, 0.4, 0.6, 0.8, 0.97)  # where files are cut off, as shares of their length
FLIPS = 8  # damaged copies of each file
HUGE = 60000
RESTORED, REFUSED, EITHER = "restored", "refused", "either"


class Case(NamedTuple):
    """A file, and what must come of it."""

    name: str
    data: bytes
    expected: str = EITHER


def values(channels: int = 3, seed: int = 0) -> np.ndarray:
    """A small picture, uint8 [H, W, channels]: a slope with noise."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(40, 200, W)[None, :, None] + np.linspace(0, 40, H)[:, None, None]
    return (slope + rng.normal(0, 6, (H, W, channels))).clip(0, 255).astype(np.uint8)


def encoded(picture: Image.Image, kind: str, **settings: Any) -> bytes:
    """A file of it by PIL."""
    stream = io.BytesIO()
    picture.save(stream, kind, **settings)
    return stream.getvalue()


def tiff(array: np.ndarray, **settings: Any) -> bytes:
    """A file of it by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **settings)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colours: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of any claim."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)),
        *chunks,
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def plain_tiff(
    width: int, height: int, bits: int, packing: int, data: bytes, tile: int = 0, strips: int = 1
) -> bytes:
    """An RGB TIFF of one strip, or of one square tile, of any claim."""
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
    tags = sorted(
        [
            *tags,
            (258, 3, 3, 14 + 12 * (len(tags) + 3)),
            (at, 4, strips, 20 + 12 * (len(tags) + 3)),
            (count, 4, strips, len(data)),
        ]
    )
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return (
        struct.pack("<2sHIH", b"II", 42, 8, len(tags))
        + entries
        + struct.pack("<I", 0)
        + struct.pack("<3H", bits, bits, bits)
        + data
    )


def icc(kind: bytes, tags: list[tuple[bytes, bytes]], space: bytes) -> bytes:
    """A colour profile of that kind with those tags."""
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    head = struct.pack(
        ">I4sI4s4s4s",
        at + len(body),
        b"",
        0x02100000,
        b"prtr" if kind == b"CMYK" else b"mntr",
        kind,
        space,
    )
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061) + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + body


def white() -> tuple[bytes, bytes]:
    """The white point of a profile."""
    return b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)


def icc_cmyk() -> bytes:
    """A profile whose inks are strange: cyan alone prints red (Lab 50, 60, 40), black darkens, the others do nothing."""
    corners = [
        (20, 128, 128) if k else ((128, 188, 168) if c else (255, 128, 128))
        for c in (0, 1)
        for m in (0, 1)
        for y in (0, 1)
        for k in (0, 1)
    ]
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = (
        b"mft1\0\0\0\0"
        + bytes((4, 3, 2, 0))
        + identity
        + ramp * 4
        + bytes(v for corner in corners for v in corner)
        + ramp * 3
    )
    return icc(b"CMYK", [white(), (b"A2B0", lut)], b"Lab ")


def icc_grey() -> bytes:
    """A profile of linear light."""
    return icc(b"GRAY", [white(), (b"kTRC", b"curv\0\0\0\0" + struct.pack(">I", 0))], b"XYZ ")


@cache
def icc_srgb() -> bytes:
    """sRGB's profile, which is dated, so it is made once."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int) -> bytes:
    """EXIF of a camera, turned so."""
    data = Image.Exif()
    data[0x0112], data[0x010F], data[0x013B] = orientation, "Maker", "Someone"
    data.get_ifd(0x8769).update({0x829A: 0.01, 0xA002: W, 0xA003: H})
    return data.tobytes()


def in_lab(picture: Image.Image) -> Image.Image:
    """An RGB picture in Lab."""
    made = ImageCms.profileToProfile(
        picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert made is not None
    return made


def sound() -> dict[str, bytes]:
    """Files of every kind that is read, by name."""
    rgb, rgba = Image.fromarray(values()), Image.fromarray(values(4))
    grey, palette = rgb.convert("L"), rgb.quantize(16)
    deep = values(4).astype(np.uint16) * 257
    floats = (values() / 255).astype(np.float32)
    files = {
        "rgb.png": encoded(rgb, "PNG", icc_profile=icc_srgb()),
        "rgba.png": encoded(rgba, "PNG"),
        "palette.png": encoded(palette, "PNG", transparency=3),
        "deep.png": png16(deep[..., :3], icc_srgb(), exif(6)),
        "rgb.jpg": encoded(rgb, "JPEG", exif=exif(6), icc_profile=icc_srgb()),
        "progressive.jpg": encoded(rgb, "JPEG", progressive=True),
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG", icc_profile=icc_cmyk()),
        "lossy.webp": encoded(rgb, "WEBP", exif=exif(3)),
        "lossless.webp": encoded(rgba, "WEBP", lossless=True),
        "deflate.tif": encoded(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "deep.tif": tiff(deep[..., :3], photometric="rgb", compression="zlib"),
        "float.tif": tiff(floats, photometric="rgb"),
        "rgb.bmp": encoded(rgb, "BMP"),
        "palette.gif": encoded(palette, "GIF", transparency=3),
    }
    odd = {
        "grey.png": encoded(grey, "PNG", icc_profile=icc_grey()),
        "grey_alpha.png": encoded(rgba.convert("LA"), "PNG"),
        "key.png": encoded(rgb, "PNG", transparency=tuple(int(v) for v in values()[3, 3])),
        "bilevel.png": encoded(rgb.convert("1"), "PNG"),
        "deep_grey.png": encoded(Image.fromarray(deep[..., 0]), "PNG"),
        "deep_grey_alpha.png": png16(deep[..., :2]),
        "deep_rgba.png": png16(deep),
        "clear.png": encoded(Image.new("RGBA", (W, H), (255, 0, 0, 0)), "PNG"),
        "one.png": encoded(rgb.crop((0, 0, 1, 1)), "PNG"),
        "row.png": encoded(rgb.resize((300, 1)), "PNG"),
        "column.png": encoded(rgb.resize((1, 300)), "PNG"),
        "small.jpg": encoded(rgb.crop((0, 0, 3, 2)), "JPEG"),
        "animated.png": encoded(
            rgb, "PNG", save_all=True, append_images=[Image.fromarray(values(seed=1))]
        ),
        "animated.gif": encoded(palette, "GIF", save_all=True, append_images=[grey], duration=50),
        "animated.webp": encoded(rgb, "WEBP", save_all=True, append_images=[grey.convert("RGB")]),
        "grey.jpg": encoded(grey, "JPEG"),
        "grey_rgb_profile.jpg": encoded(grey, "JPEG", icc_profile=icc_srgb()),
        "cmyk_no_profile.jpg": encoded(rgb.convert("CMYK"), "JPEG"),
        "cmyk.tif": encoded(rgb.convert("CMYK"), "TIFF", icc_profile=icc_cmyk()),
        "lab.tif": encoded(in_lab(rgb), "TIFF"),
        "ycbcr.tif": encoded(rgb.convert("YCbCr"), "TIFF"),
        "lzw.tif": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "jpeg.tif": encoded(rgb, "TIFF", compression="jpeg"),
        "pages.tif": encoded(rgb.copy(), "TIFF", save_all=True, append_images=[grey.copy()]),
        "fax.tif": encoded(rgb.convert("1"), "TIFF", compression="group4"),
        "big_endian.tif": tiff(deep[..., :3], photometric="rgb", byteorder=">"),
        "big_endian_float.tif": tiff(
            floats[..., 0], photometric="minisblack", byteorder=">", compression="zlib"
        ),
        "bigtiff.tif": tiff(deep[..., :3], photometric="rgb", bigtiff=True),
        "planar.tif": tiff(
            deep[..., :3].transpose(2, 0, 1), photometric="rgb", planarconfig="separate"
        ),
        "tiles.tif": tiff(deep[..., :3], photometric="rgb", tile=(16, 16)),
        "premultiplied.tif": tiff(deep, photometric="rgb", extrasamples=["assocalpha"]),
        "inverted.tif": tiff(deep[..., 0], photometric="miniswhite"),
        "half.tif": tiff(floats.astype(np.float16), photometric="rgb"),
        "portable.ppm": encoded(rgb, "PPM"),
        **{f"turned{n}.jpg": encoded(rgb, "JPEG", exif=exif(n)) for n in range(10)},
        **{
            f"turned{n}.tif": tiff(
                deep[..., :3], photometric="rgb", extratags=[(274, 3, 1, n, True)]
            )
            for n in (3, 5, 8)
        },
        "text_for_orientation.jpg": encoded(
            rgb, "JPEG", exif=exif(1).replace(b"\x01\x12\x00\x03", b"\x01\x12\x00\x02")
        ),
        "junk_exif.jpg": encoded(rgb, "JPEG", exif=b"Exif\0\0" + b"\xff" * 200),
        "junk_profile.png": encoded(rgb, "PNG", icc_profile=b"\xff" * 500),
        "short_profile.png": encoded(rgb, "PNG", icc_profile=icc_srgb()[:200]),
        "foreign_profile.png": encoded(rgb, "PNG", icc_profile=icc_cmyk()),
        "large_profile.jpg": encoded(rgb, "JPEG", icc_profile=icc_srgb() + b"\0" * 2**21),
    }
    if features.check("avif"):
        files["rgb.avif"] = encoded(rgb, "AVIF")
        odd["rgba.avif"] = encoded(rgba, "AVIF")
    return files | odd


def bombs() -> Iterator[Case]:
    """Small files that claim, or unpack to, gigabytes."""
    pixels = zlib.compress(b"\0" * (H * (1 + 3 * W)))
    flood = zlib.compress(b"\0" * 2**28, 9)
    for depth in (8, 16):
        yield Case(f"huge{depth}.png", png(HUGE, HUGE, depth, 2, (b"IDAT", pixels)), REFUSED)
        yield Case(f"huge{depth}.tif", plain_tiff(HUGE, HUGE, depth, 1, b"\0" * 100), REFUSED)
        yield Case(
            f"flood{depth}.tif",
            plain_tiff(W, H, depth, 8, flood),
            EITHER if depth == 8 else REFUSED,
        )
        yield Case(f"flood{depth}.png", png(W, H, depth, 2, (b"IDAT", flood)))
        yield Case(f"tile{depth}.tif", plain_tiff(W, H, depth, 8, flood, tile=HUGE), REFUSED)
        yield Case(
            f"raw_tile{depth}.tif", plain_tiff(W, H, depth, 1, b"\0" * 100, tile=HUGE), REFUSED
        )
        yield Case(
            f"strips{depth}.tif", plain_tiff(W, H, depth, 1, b"\0" * 2000, strips=2**31), REFUSED
        )
    yield Case("most.png", png(2**31 - 1, 2**31 - 1, 8, 6, (b"IDAT", pixels)), REFUSED)
    yield Case("none.png", png(0, 0, 8, 2, (b"IDAT", pixels)), REFUSED)
    yield Case(
        "many_texts.png",
        png(
            W,
            H,
            8,
            2,
            *[(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 2**20, 9))] * 99,
            (b"IDAT", pixels),
        ),
        REFUSED,
    )
    yield Case("text.png", png(W, H, 8, 2, (b"zTXt", b"a\0\0" + flood), (b"IDAT", pixels)), REFUSED)
    yield Case(
        "profile.png", png(W, H, 8, 2, (b"iCCP", b"a\0\0" + flood), (b"IDAT", pixels)), REFUSED
    )
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
    """Files that hold no picture, or values that are none."""
    yield Case("empty.png", b"", REFUSED)
    yield Case("byte.jpg", b"\xff", REFUSED)
    yield Case("zeros.tif", bytes(4096), REFUSED)
    yield Case("words.png", b"hello, world\n" * 20, REFUSED)
    yield Case("page.jpg", b"<!doctype html><title>Not found</title>", REFUSED)
    yield Case("archive.webp", b"PK\x03\x04" + bytes(60), REFUSED)
    yield Case("pickle.png", b"\x80\x04\x95" + b"cos\nsystem\n(S'true'\ntR.", REFUSED)
    yield Case(
        "script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\nshowpage\n", REFUSED
    )
    yield Case("random.bmp", np.random.default_rng(1).bytes(2000), REFUSED)
    yield Case("start.png", b"\x89PNG\r\n\x1a\n", REFUSED)
    yield Case("loop.tif", struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<HI", 0, 8), REFUSED)
    yield Case("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), REFUSED)
    for name, value in (
        ("nan", np.nan),
        ("inf", np.inf),
        ("bright", 7.0),
        ("negative", -1.0),
        ("bytes", 255.0),
    ):
        array = (values() / 255).astype(np.float32)
        array[2, 3] = value
        yield Case(f"{name}.tif", tiff(array, photometric="rgb"), REFUSED)
        yield Case(f"{name}_grey.tif", tiff(array[..., 0], photometric="minisblack"), REFUSED)
    yield Case(
        "wide_integers.tif", tiff(values().astype(np.uint32) << 20, photometric="rgb"), REFUSED
    )
    yield Case(
        "below_zero.tif",
        tiff(values()[..., 0].astype(np.int16) - 300, photometric="minisblack"),
        REFUSED,
    )
    yield Case(
        "complex.tif",
        tiff(values()[..., 0].astype(np.complex64), photometric="minisblack"),
        REFUSED,
    )


def corpus() -> Iterator[Case]:
    """Every case: sound but odd files, files under wrong names, cut off, with flipped bits, bombs, and no pictures at all."""
    files = sound()
    for name, data in files.items():
        yield Case(name, data, RESTORED)
    for name, wrong in (
        ("rgb.jpg", "png"),
        ("rgb.png", "jpg"),
        ("deep.png", "tif"),
        ("deep.tif", "png"),
        ("palette.gif", "webp"),
    ):
        yield Case(f"{name}.{wrong}", files[name], RESTORED)
    yield from bombs()
    yield from impossible()
    for number, (name, data) in enumerate(
        list(files.items())[:14] + [(n, d) for n, d in files.items() if n == "rgb.avif"]
    ):
        for share in CUTS:
            yield Case(f"cut{round(share * 100)}_{name}", data[: int(len(data) * share)])
        rng = np.random.default_rng(number)
        for k in range(FLIPS):
            damaged = np.frombuffer(data, np.uint8).copy()
            damaged[rng.integers(0, len(data), 1 + 3 * k)] ^= np.uint8(1) << rng.integers(
                0, 8, dtype=np.uint8
            )
            yield Case(f"flip{k}_{name}", damaged.tobytes())
