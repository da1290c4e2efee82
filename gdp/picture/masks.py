"""Masks that users paint: white is what is to be repaired, as in photo editors."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gdp.picture.codec.read import decode
from gdp.picture.units import WHITE

LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in brightness (ITU-R BT.601)
MUCH = 0.6  # share of the picture; a mask that marks more may be the wrong way round
log = logging.getLogger(__name__)


def read_mask(path: str | Path | Tensor | None) -> Tensor:
    """Read which pixels of a photo are known, from a mask in which white is to be repaired.

    Args:
        path: a picture file, in which transparent pixels count as black; or the mask's pixels
            [1, 1, H, W] in [0, 1].

    Returns:
        [1, 1, H, W], 1 where the photo stays and 0 where it is repaired.

    Raises:
        ValueError: there is no mask, it has no white, or it is white all over.
    """
    if path is None:
        raise ValueError(
            "inpainting needs to know what to repair; give mask=FILE, a picture that is white there"
        )

    if isinstance(path, Tensor):
        known, path = path[0, 0] < 0.5, "given"
    else:
        photo = decode(path)
        white = sum(weight * plane for weight, plane in zip(LUMA, photo.pixels[0], strict=True))
        known = (white if photo.alpha is None else white * photo.alpha[0, 0]) < 0.5

    # What cannot be meant, and what is unlikely to be.
    if known.all():
        raise ValueError(
            f"the mask {path} has no white, so there is nothing to repair; "
            "paint white over what is to go"
        )
    if not known.any():
        raise ValueError(
            f"the mask {path} is white all over, so nothing of the photo would be left; "
            "leave the good parts black"
        )
    lost = 1 - float(known.float().mean())
    if lost > MUCH:
        log.warning(
            "the mask %s marks %.0f %% for repair; "
            "if that is the wrong way round, invert it: white = repair",
            path,
            100 * lost,
        )

    return known.float()[None, None]


def read_optional_mask(path: str | Path | Tensor | None) -> Tensor | None:
    """Read a mask as `read_mask` does; None where `path` is None."""
    return None if path is None else read_mask(path)


def mask_of(what: Any) -> Tensor:
    """Take a mask that is no file.

    Args:
        what: a PIL image, or an array or tensor (H, W): white or True where to repair.

    Returns:
        [1, 1, H, W], 1 where to repair.

    Raises:
        TypeError: it is of no such kind.
        ValueError: it has another shape.
    """
    if isinstance(what, Image.Image):
        what = np.asarray(what.convert("L"))
    if not isinstance(what, np.ndarray | Tensor):
        raise TypeError(
            f"mask= is a {type(what).__name__}; "
            "it can be a path, a PIL image, a numpy array or a torch tensor"
        )

    values = torch.as_tensor(np.array(what) if isinstance(what, np.ndarray) else what)
    flat = values.float().cpu() / WHITE.get(str(what.dtype).removeprefix("torch."), 1)

    # Leading dimensions and a last channel of one are no more than wrapping.
    while flat.ndim > 2 and flat.shape[0] == 1:
        flat = flat[0]
    flat = flat[..., 0] if flat.ndim == 3 and flat.shape[-1] == 1 else flat
    if flat.ndim != 2 or not flat.numel():
        raise ValueError(
            f"mask= is an array of shape {tuple(what.shape)}; "
            "it takes (H, W), white or True where to repair"
        )

    return (flat >= 0.5).float()[None, None]
