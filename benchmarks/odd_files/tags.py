"""What files say about their pictures: colour profiles, sound and strange, and EXIF."""

import struct
from functools import cache
from itertools import product

from PIL import Image, ImageCms

from benchmarks.odd_files.files import H, W


def white() -> tuple[bytes, bytes]:
    """Pack the white point of a profile."""
    return b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)


def icc(kind: bytes, tags: list[tuple[bytes, bytes]], space: bytes) -> bytes:
    """Pack a colour profile of a kind with tags, each padded to four bytes."""
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data

    device = b"prtr" if kind == b"CMYK" else b"mntr"
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"", 0x02100000, device, kind, space)
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061) + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + body


def icc_cmyk() -> bytes:
    """Pack a profile whose inks are strange.

    Cyan alone prints red (Lab 50, 60, 40), black darkens, the others do nothing.
    """
    paper, red, black = (255, 128, 128), (128, 188, 168), (20, 128, 128)
    corners = [black if k else (red if c else paper) for c, _, _, k in product((0, 1), repeat=4)]

    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    inks = bytes(value for corner in corners for value in corner)
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + inks + ramp * 3
    return icc(b"CMYK", [white(), (b"A2B0", lut)], b"Lab ")


def icc_grey() -> bytes:
    """Pack a grey profile of linear light."""
    return icc(b"GRAY", [white(), (b"kTRC", b"curv\0\0\0\0" + struct.pack(">I", 0))], b"XYZ ")


@cache
def icc_srgb() -> bytes:
    """Pack sRGB's profile; it holds its date, so there is one for all files."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int) -> bytes:
    """Pack the EXIF of a camera that was held in an orientation."""
    data = Image.Exif()
    data[0x0112], data[0x010F], data[0x013B] = orientation, "Maker", "Someone"
    data.get_ifd(0x8769).update({0x829A: 0.01, 0xA002: W, 0xA003: H})
    return data.tobytes()


def in_lab(picture: Image.Image) -> Image.Image:
    """Convert an RGB picture to Lab."""
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture, srgb, lab, outputMode="LAB")
    assert converted is not None
    return converted
