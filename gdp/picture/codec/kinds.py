"""What a file is by its first bytes and its name, where it is no picture that is read."""

from importlib.util import find_spec
from pathlib import Path

from PIL import features

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
STARTS = (*TIFF_STARTS, b"\x89PNG\r\n", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM")

# Brands in the first box of files that are made as MP4 is; any other is a video's.
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
AVIF = (b"avif", b"avis")
CR3 = b"crx "

# What cameras write beside JPEG
RAW_SUFFIXES = (
    *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".sr2", ".srf", ".raf", ".orf"),
    *(".rw2", ".pef", ".srw", ".x3f", ".3fr", ".iiq", ".dcr", ".kdc", ".mrw", ".mef", ".rwl"),
)
# Films in one file, by the names that are taken for such
FILM_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".3gp")
RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb")

# Kinds that are whole, but not read, and what to do with them
OTHERS = {
    b"\x1a\x45\xdf\xa3": "is a video",
    b"OggS": "is a video or sound",
    b"FLV\x01": "is a video",
    b"\0\0\x01\xba": "is a video",
    b"\x30\x26\xb2\x75": "is a video",
    b"8BPS": "is a Photoshop file",
    b"\x76\x2f\x31\x01": "is OpenEXR",
    b"#?RADIANCE": "is Radiance HDR",
    b"\xff\x0a": "is JPEG XL",
    b"\0\0\0\x0cJXL ": "is JPEG XL",
    b"II\xbc\x01": "is JPEG XR",
    b"%PDF": "is a PDF",
    b"<svg": "is SVG, which has no pixels",
    b"\x89HDF": "is HDF5",
    b"\x93NUMPY": "is a numpy array",
}
FILM = "video=true restores a whole film, or save a frame of it as a picture"

# Frames of a JPEG that its usual readers lack: lossless, hierarchical, and JPEG-LS
LOSSLESS = (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7)
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7)


def is_raw(file: Path, head: bytes) -> bool:
    """Whether a file holds what a camera's sensor saw, as far as its name and start tell."""
    tiff = head[:4] in TIFF_STARTS
    return (
        head.startswith(RAW_STARTS)
        or (tiff and head[8:10] == b"CR")
        or brand(head) == CR3
        or (tiff and file.suffix.lower() in RAW_SUFFIXES)
    )


def brand(head: bytes) -> bytes:
    """The brand of a file made as MP4 is; empty for any other."""
    return head[8:12] if head[4:8] == b"ftyp" else b""


def unsupported(file: Path, head: bytes) -> str:
    """What a file is that is whole but not read, and what to do; empty for any other."""
    kind = brand(head)
    if kind and kind not in (*HEIC, *AVIF, CR3):
        return f"is a video; {FILM}"
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WAVE"):
        return f"is a video or sound; {FILM}"

    for start, words in OTHERS.items():
        if head.startswith(start):
            rest = FILM if "video" in words else "save it as PNG"
            return f"{words}, which is not read; {rest}"
    return jpeg_frame(file) if head[:3] == b"\xff\xd8\xff" else ""


def jpeg_frame(file: Path) -> str:
    """What a JPEG is that is not read, lossless or of more than 8 bits; empty for any other."""
    with file.open("rb") as stream:
        data = stream.read(2**20)

    at = 2
    while at + 10 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in LOSSLESS:
            return "is a lossless JPEG, which is not read; save it as PNG or TIFF"
        if marker in FRAMES:
            bits = data[at + 4]
            return "" if bits == 8 else f"is a JPEG of {bits} bits, not 8; save it as PNG or TIFF"
        at += 1 if marker == 0xFF else 2 + max(length, 2)
    return ""


def fault(head: bytes) -> str:
    """What is wrong with a file that begins so and that PIL does not know, and what to do."""
    kind = brand(head)
    if kind in AVIF and not features.check("avif"):
        return "is AVIF, which needs a newer pillow (pip install -U pillow); or convert it to PNG"
    if kind in HEIC and find_spec("pillow_heif") is None:
        return (
            "is HEIC, which needs the package pillow-heif (pip install pillow-heif); "
            "or convert it to JPEG"
        )
    if kind or head.startswith(STARTS):
        return "is damaged where it begins; save it again from its source"
    return "is not a picture that can be read; convert it to PNG or JPEG"
