"""Pictures of 16 bits a channel or of floats, which PIL does not hold whole."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from gdp.picture.codec import colour, exif
from gdp.picture.photo import Photo, RefusedError, clip, to_tensor


class Deep(NamedTuple):
    """What a file of deep pixels holds.

    Attributes:
        values: [H, W, C] as stored; C = 1 or 3, and one more where `alpha`.
        alpha: whether the last channel is transparency.
        icc: colour profile.
        orientation: EXIF's, 1 to 8.
        premultiplied: whether the colours are multiplied by the transparency.
    """

    values: np.ndarray
    alpha: bool
    icc: bytes | None = None
    orientation: int = 1
    premultiplied: bool = False


def photo_of_deep(
    deep: Deep, name: str, picture: Image.Image | None, any_scale: bool = False
) -> Photo:
    """Make a photo of 16-bit integers or floats.

    Args:
        deep: what the file holds.
        name: the file's, for warnings.
        picture: what PIL makes of the file, for its EXIF.
        any_scale: whether floats may go to 255 or 65535 too.

    Raises:
        RefusedError: numbers that are neither 16-bit integers nor floats in [0, 1].
    """
    # As EXIF's orientation says: first mirrored at the diagonal, then left-right, then up-down.
    values = deep.values
    if deep.orientation in (5, 6, 7, 8):
        values = values.transpose(1, 0, 2)
    if deep.orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if deep.orientation in (3, 4, 7, 8):
        values = values[::-1]

    # White as 1.
    floats, white = values.dtype.kind == "f", 1
    if not floats:
        if values.dtype.kind not in "ui" or values.min() < 0 or values.max() > 65535:
            raise RefusedError(
                f"holds {values.dtype} numbers from {values.min()} to {values.max()}; "
                "save it with 16 bits a channel"
            )
        white = 255 if values.dtype == np.uint8 else 65535
    scaled = clip(values.astype(np.float32) / white, any_scale)

    # Colours and transparency apart.
    colours, alpha = (scaled[..., :-1], scaled[..., -1:]) if deep.alpha else (scaled, None)
    if deep.premultiplied and alpha is not None:
        colours = np.clip(colours / np.maximum(alpha, 1 / 65535), 0, 1)
    grey = colours.shape[-1] == 1

    return Photo(
        to_tensor(colours, 3),
        rounding=0.0 if floats else 1 / (white * 12**0.5),
        alpha=None if alpha is None else to_tensor(alpha, 1),
        icc=colour.check_profile(deep.icc, "L" if grey else "RGB", name),
        exif=None if picture is None else exif.extract(picture),
        grey=grey,
        depth=32 if floats else 16 if white == 65535 else 8,
    )
