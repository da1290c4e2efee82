"""PNG of 16 bits a channel, which PIL would reduce to 8."""

import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from gdp.picture.codec.deep import Deep

START = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of PNG, by channels


def read_png16(file: Path, transparent: tuple[int, ...] | None) -> Deep:
    """Read a 16-bit PNG by libpng, which torchvision brings.

    Args:
        file: the PNG.
        transparent: the colour that stands for transparent, if one does.

    Raises:
        ValueError: its data end early or are corrupt, or torchvision is too old.
    """
    from torchvision.io import ImageReadMode, decode_png

    data = torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.uint8)
    try:
        decoded = decode_png(data, ImageReadMode.UNCHANGED)
    except RuntimeError:
        raise ValueError("its data end early or are corrupt") from None
    if decoded.dtype != torch.uint16:
        raise ValueError("16-bit PNG needs torchvision 0.20 or newer")

    values = decoded.permute(1, 2, 0).numpy()
    if transparent is not None and values.shape[-1] in (1, 3):
        visible = (values != np.array(transparent, np.uint16)).any(-1, keepdims=True)
        values = np.concatenate([values, visible.astype(np.uint16) * 65535], -1)
    return Deep(values, values.shape[-1] in (2, 4))


def png16(values: np.ndarray, icc: bytes | None = None, exif: bytes | None = None) -> bytes:
    """Encode a 16-bit PNG, each row as differences to the pixel at its left.

    Args:
        values: uint16 [H, W, C], C = 1 to 4, transparency last where C is even.
        icc: colour profile.
        exif: EXIF, as PIL gives it.
    """
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

    return START + b"".join(
        struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d))
        for kind, d in chunks
    )
