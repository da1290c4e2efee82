"""The quantisation tables of JPEG: the standard's own at a quality, or those of a file.

Source: ITU-T T.81, Annex K, tables K.1 and K.2, scaled as libjpeg scales them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from PIL import Image

LUMA = """
     16  11  10  16  24  40  51  61
     12  12  14  19  26  58  60  55
     14  13  16  24  40  57  69  56
     14  17  22  29  51  87  80  62
     18  22  37  56  68 109 103  77
     24  35  55  64  81 104 113  92
     49  64  78  87 103 121 120 101
     72  92  95  98 112 100 103  99
"""
CHROMA = """
     17  18  24  47  99  99  99  99
     18  21  26  66  99  99  99  99
     24  26  56  99  99  99  99  99
     47  66  99  99  99  99  99  99
     99  99  99  99  99  99  99  99
     99  99  99  99  99  99  99  99
     99  99  99  99  99  99  99  99
     99  99  99  99  99  99  99  99
"""
# RGB -> Y, Cb, Cr, without the shift of chroma by 128.
YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
# Rows and columns that share a chroma sample, by Pillow's number of the subsampling.
FACTORS = ((1, 1), (1, 2), (2, 2))

NO_CHROMA = 1e6  # the step of a table that leaves nothing of a channel
ORIENTATION = 0x0112  # the EXIF tag of how a picture is turned
UPRIGHT, ORIENTATIONS = 1, range(1, 9)


def standard_tables(quality: int) -> Tensor:
    """The tables [3, 64] of Y, Cb and Cr at a quality of 1 to 100, row by row."""
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise ValueError(
            f"operator.quality={quality!r}; JPEG's quality is a whole number from 1 to 100"
        )

    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (
        [min(max((int(q) * scale + 50) // 100, 1), 255) for q in table.split()]
        for table in (LUMA, CHROMA)
    )
    return torch.tensor([luma, chroma, chroma])


class Tables(NamedTuple):
    """How a JPEG file was written.

    Attributes:
        steps: q [3, 64] of Y, Cb and Cr, in levels.
        factors: rows and columns that share a chroma sample, as stored.
        orientation: EXIF's, 1 to 8: how the stored picture is turned when it is shown.
        quality: where it was found on the picture itself.
    """

    steps: Tensor
    factors: tuple[int, int] = (1, 1)
    orientation: int = UPRIGHT
    quality: int | None = None


def tables_of(quality: int, subsampling: int) -> Tables:
    """The standard's tables at a quality of 1 to 100, with Pillow's number of a subsampling.

    Raises:
        ValueError: there is no such quality or subsampling.
    """
    steps = standard_tables(quality)
    if isinstance(subsampling, bool) or subsampling not in (0, 1, 2):
        raise ValueError(
            f"operator.subsampling={subsampling!r}; it is 0 (4:4:4), 1 (4:2:2) or 2 (4:2:0)"
        )
    return Tables(steps, FACTORS[subsampling])


def read_tables(path: str) -> Tables:
    """Read the tables of a JPEG file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no JPEG, or has other layers than 4:4:4, 4:2:2, 4:2:0.
    """
    from PIL import Image

    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(
            f"no file at {path}; operator.tables= takes a JPEG, whose tables are used"
        )
    try:
        with Image.open(file, formats=["JPEG"]) as picture:
            layers = picture.layer  # type: ignore[attr-defined]
            tables = picture.quantization  # type: ignore[attr-defined]
            orientation = orientation_of(picture)
            rgb = picture.info.get("adobe_transform") == 0
    except (OSError, SyntaxError, AttributeError) as error:
        raise ValueError(
            f"{path} is no JPEG that can be read ({error}); operator.tables= takes a JPEG"
        ) from None

    # Layers are (id, columns, rows, table), with columns and rows relative to those of others.
    if len(layers) == 1:
        steps = [tables[layers[0][3]], [NO_CHROMA] * 64, [NO_CHROMA] * 64]
        return Tables(torch.tensor(steps), orientation=orientation)
    columns, rows = (layers[0][i] / layers[1][i] for i in (1, 2)) if len(layers) == 3 else (0, 0)
    if rgb or not {rows, columns} <= {1, 2} or layers[1][1:3] != layers[2][1:3]:
        raise ValueError(
            f"{path} is an unusual JPEG (layers {layers}); "
            "save it again as YCbCr in 4:4:4, 4:2:2 or 4:2:0"
        )
    steps = [tables[layer[3]] for layer in layers]
    return Tables(torch.tensor(steps), (int(rows), int(columns)), orientation)


def orientation_of(picture: "Image.Image") -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none, or none can be read."""
    try:
        value = picture.getexif().get(ORIENTATION, UPRIGHT)
    except Exception:  # damage makes PIL raise whatever it meets
        return UPRIGHT
    return value if value in ORIENTATIONS else UPRIGHT
