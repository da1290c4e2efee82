"""The mask of a photo: its own where there is a folder of them, and never turned against it."""

import logging
from math import log as ln
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from gdp.picture import Photo, namesake, read_mask
from gdp.picture.codec.exif import orientation
from gdp.storage.places import expand
from operators.base import Operator
from operators.missing.mask import Mask

ALIKE = 0.05  # by which the logarithms of two pictures' proportions may differ
log = logging.getLogger("gdp")


def fit_mask(operator: Operator, photo: Photo, name: str, file: Path | None, config: Any) -> bool:
    """Give an operator the photo's own mask, upright as the photo.

    Args:
        operator: this photo's own copy; it is changed.
        photo: the photo, which stands upright.
        name: what messages call the photo.
        file: where the photo was read from.
        config: the settings.

    Returns:
        Whether the mask is this photo's alone.

    Raises:
        ValueError: the mask lies across the photo.
        FileNotFoundError: a folder of masks has none for the photo.
    """
    masks = [part for part in operator.modules() if isinstance(part, Mask)]
    if config["mask"] is None or not masks:
        return False

    # One from a folder of masks.
    own = False
    if isinstance(config["mask"], str) and expand(config["mask"]).is_dir():
        if file is None:
            raise ValueError(
                f"mask={config['mask']} is a folder, which goes with photos from files; give the "
                "mask itself"
            )
        known = read_mask(namesake(config["mask"], file), config["mask_invert"])
        for mask in masks:
            mask.set(known)
        own = True

    # As the camera's sensor had it.
    for mask in masks:
        given = mask.mask if mask.share is None else mask.share
        if not lies_across(given, photo.pixels):
            warn_of_shape(given, photo.pixels, name)
            continue
        turned = as_turned(given, file)
        if turned is None or lies_across(turned, photo.pixels):
            raise ValueError(
                f"the mask of {name} is {size(given)}, the photo {size(photo.pixels)}; "
                "turn the mask as the photo is"
            )
        log.info("%s: the mask is turned as the photo is", name)
        mask.set(turned)
        own = True
    return own


def lies_across(mask: Tensor, pixels: Tensor) -> bool:
    """Whether a mask has the photo's proportions with height and width exchanged, not as it is."""
    (h, w), (H, W) = mask.shape[-2:], pixels.shape[-2:]
    across = abs(ln(h / w) + ln(H / W))
    return across < ALIKE < abs(ln(h / w) - ln(H / W))


def warn_of_shape(mask: Tensor, pixels: Tensor, name: str) -> None:
    """Tell of a mask that has to be stretched."""
    (h, w), (H, W) = mask.shape[-2:], pixels.shape[-2:]
    if abs(ln(h / w) - ln(H / W)) > ALIKE and min(h, w) > 1:
        log.warning(
            "%s: the mask is %s, the photo %s; it is stretched to that",
            name,
            size(mask),
            size(pixels),
        )


def as_turned(mask: Tensor, file: Path | None) -> Tensor | None:
    """A mask [1, 1, h, w] turned as the EXIF of the photo's file says; None if it says nothing."""
    if file is None:
        return None
    try:
        with Image.open(file) as picture:
            turn = orientation(picture)
    except OSError:
        return None
    if turn not in (5, 6, 7, 8):
        return None

    # First mirrored at the diagonal, then left-right, then up-down.
    mask = mask.transpose(-1, -2)
    mask = mask.flip(-1) if turn in (6, 7) else mask
    return mask.flip(-2) if turn in (7, 8) else mask


def size(pixels: Tensor) -> str:
    """Width and height of pixels [..., H, W] in words."""
    return f"{pixels.shape[-1]}x{pixels.shape[-2]}"
