"""Files of every kind, and a photo read from bytes."""

import io

import numpy as np
import tifffile
import torch
from PIL import Image

from benchmarks.odd_files import sound, values

SOUND = sound()
RGB = torch.from_numpy(values() / 255).float().permute(2, 0, 1)[None]
DEEP = values(4).astype(np.uint16) * 257 + 5


def tiff(array, **settings) -> bytes:
    """An RGB TIFF."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, photometric="rgb", **settings)
    return stream.getvalue()


def loaded(data: bytes) -> Image.Exif:
    """EXIF that was bytes."""
    found = Image.Exif()
    found.load(data)
    return found
