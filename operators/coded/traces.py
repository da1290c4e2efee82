"""What JPEG left in a picture that was saved again without loss, as a PNG: its quality.

After q round(c / q) the coefficients c of luma lie at multiples of q, which the rounding of pixels
to 8 bits blurs by a fifth of a level: the mean of cos(2 pi c / q) is near 1 for the right q, and
near 0 for another (after Fan & de Queiroz, "Identification of bitmap compression history", 2003).
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from operators.coded.planes import blocks, chroma_samples
from operators.coded.tables import (
    FACTORS,
    YCBCR,
    Tables,
    orientation_of,
    read_tables,
    standard_tables,
    tables_of,
)
from operators.tools.transforms import dct

LEAST_STEP = 3  # levels: below, rounding to 8 bits hides it
LEAST_SEEN = 40  # coefficients that are not rounded to 0
CLEAR = 0.5  # the mean cosine from which on it is no accident
EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr", "CMYK")  # modes of PIL
USUAL = 2  # Pillow's number of the usual subsampling
BEGINNING = b"\xff\xd8\xff"  # of a JPEG file
QUALITIES = range(1, 96)  # above, most steps are too small to be seen


def is_jpeg(file: Path) -> bool:
    """Whether a file begins as a JPEG does; one that cannot be read is left to what reads it."""
    try:
        with file.open("rb") as stream:
            return stream.read(len(BEGINNING)) == BEGINNING
    except OSError:
        return True


def tables_in(path: str) -> Tables:
    """The tables of a JPEG file, or those that a picture of another format shows.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is an unusual JPEG, no picture of 8 bits, or shows no clear trace.
    """
    from PIL import Image

    file = Path(path).expanduser()
    if not file.is_file() or is_jpeg(file):
        return read_tables(path)

    remedy = "take another task, or say how it was compressed: operator=jpeg operator.quality=30"
    try:
        with Image.open(file) as picture:
            if picture.mode not in EIGHT_BITS:
                raise OSError(f"it is of the kind {picture.mode}")
            pixels, orientation = np.array(picture.convert("RGB")), orientation_of(picture)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{file} can show no trace of JPEG ({error}); {remedy}") from None

    found = trace_of(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255)
    if found is None:
        raise ValueError(
            f"{file} is no JPEG, and shows no clear trace of having been one; {remedy}"
        )
    return found._replace(orientation=orientation)


def trace_of(pixels: Tensor) -> Tables | None:
    """How a picture was once saved, with Annex K's tables.

    Blocks have to begin at the picture's upper left corner.

    Args:
        pixels: [1, 3, H, W] in [0, 1].

    Returns:
        None where there is no clear trace.
    """
    if min(pixels.shape[-2:]) < 16:  # a block of each plane
        return None
    colours = torch.tensor(YCBCR, dtype=torch.float64)
    Y, *chroma = 255 * torch.einsum("kc,bchw->kbhw", colours, pixels.double())

    # Steps that divide the right ones fit as well, but what blurs them is more of a smaller step.
    c = coefficients(Y - 128)
    fits = {q: at_multiples(c, standard_tables(q)[0]) for q in QUALITIES}
    quality = max(fits, key=fits.__getitem__)
    if fits[quality] < CLEAR:
        return None

    # Chroma fits where as many pixels share a sample as did; where it shows nothing, it is 4:2:0.
    steps, found = standard_tables(quality)[1], []
    for factors in FACTORS:
        c = torch.cat([coefficients(chroma_samples(plane, factors)) for plane in chroma])
        found.append(at_multiples(c, steps))
    subsampling = found.index(max(found)) if max(found) > CLEAR else USUAL
    return tables_of(quality, subsampling)._replace(quality=quality)


def coefficients(plane: Tensor) -> Tensor:
    """DCT of the whole blocks of a plane [1, H, W]: [N, 64]."""
    H, W = (n // 8 * 8 for n in plane.shape[-2:])
    cosines = dct(torch.eye(8, dtype=torch.float64)).T
    return (cosines @ blocks(plane[..., :H, :W]) @ cosines.T).reshape(-1, 64)


def at_multiples(c: Tensor, steps: Tensor) -> float:
    """How well coefficients [N, 64] lie at multiples of their steps [64], those near 0 left out."""
    seen = (c.abs() > steps / 2) & (steps >= LEAST_STEP)
    seen[:, 0] = False  # the mean of a block: in flat photos its multiples say too little
    if int(seen.sum()) < LEAST_SEEN:
        return 0.0
    return float((2 * torch.pi * c / steps).cos()[seen].mean())
