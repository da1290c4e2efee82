"""Pictures that PIL holds whole: 8 bits a channel, or grey of 16 bits and of floats."""

import numpy as np
from PIL import Image

from gdp.picture.codec.colour import check_profile, to_srgb
from gdp.picture.photo import Photo, RefusedError, clip, to_tensor


def photo_of(
    picture: Image.Image,
    name: str,
    bits: int = 16,
    white_is_zero: bool = False,
    any_scale: bool = False,
) -> Photo:
    """Make a photo of a picture that PIL has loaded and that stands upright.

    Args:
        picture: of any mode.
        name: the file's, for warnings.
        bits: those of its whole numbers, where they have more than 8.
        white_is_zero: whether such numbers are darkness.
        any_scale: whether floats may go to 255 or 65535 too.

    Returns:
        The photo, without EXIF.

    Raises:
        RefusedError: numbers beyond 16 bits, or floats that are not in [0, 1].
    """
    mode, icc = picture.mode, picture.info.get("icc_profile")
    grey = mode in ("1", "L", "LA", "La", "F") or mode.startswith("I")
    alpha = None

    # Grey of more than 8 bits, as numbers.
    if mode.startswith("I") or mode == "F":
        values = np.asarray(picture)[..., None]
        transparent = picture.info.get("transparency")
        if isinstance(transparent, int) and mode != "F":
            alpha = values[..., 0] != transparent
        if mode != "F" and (values.min() < 0 or values.max() > 65535):
            raise RefusedError(
                f"holds whole numbers from {values.min()} to {values.max()}; "
                "save it with 16 bits a channel"
            )

        white = 2 ** min(bits, 16) - 1 if mode.startswith("I;16") else 65535
        scaled = values.astype(np.float32) / (1 if mode == "F" else white)
        scaled = 1 - scaled if white_is_zero else scaled
        depth, rounding = (32, 0.0) if mode == "F" else (16, 1 / (white * 12**0.5))
        icc = check_profile(icc, mode, name)

    # Anything else as RGB or grey of 8 bits.
    else:
        if picture.has_transparency_data:
            rgba = (picture.convert("LA") if mode == "La" else picture).convert("RGBA")
            alpha = np.asarray(rgba)[..., 3] / 255
            picture = rgba.convert("RGB").convert("L" if grey else "RGB")
        picture, converted = to_srgb(picture, icc)
        icc = None if converted else check_profile(icc, mode, name)

        scaled = np.asarray(picture.convert("L" if grey else "RGB"), dtype=np.float32) / 255
        scaled = scaled.reshape(*scaled.shape[:2], -1)
        depth, rounding = 8, 1 / (255 * 12**0.5)

    return Photo(
        to_tensor(clip(scaled, any_scale), 3),
        rounding,
        alpha=None if alpha is None else to_tensor(alpha[..., None], 1),
        icc=icc,
        grey=grey,
        depth=depth,
    )
