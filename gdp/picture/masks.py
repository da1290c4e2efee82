"""Masks that users paint: white is what is to be repaired, grey in part, as in photo editors."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gdp.picture.codec.exif import upright
from gdp.picture.codec.read import decode
from gdp.picture.measurement import array_of_file, is_measurement
from gdp.storage.places import expand

LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in brightness (ITU-R BT.601)
MUCH = 0.6  # share of the picture; a mask that marks more may be the wrong way round
# Greys nearer to black or white than this are meant to be that: compression changes them so much.
NEAR = 0.05
WHITES = (1.0, 255.0, 65535.0)  # of masks: labels and shares, 8 bits, 16 bits
log = logging.getLogger(__name__)


def read_mask(path: str | Path | Tensor | None, invert: bool = False) -> Tensor:
    """Read how much of a photo's pixels stays, from a mask in which white is to be repaired.

    Args:
        path: a picture file, in which transparent pixels count as black, or one of an array (.npy,
            .npz, .mat, .pt; of several the one called mask or y); or the mask's pixels
            [1, 1, H, W] in [0, 1]. A folder holds a mask for each photo, which is not read
            before that: what is returned stands for it.
        invert: whether black is to be repaired instead.

    Returns:
        [1, 1, H, W]: 1 where the photo stays and 0 where it is repaired; between the two, the share
        of the photo in the result.

    Raises:
        ValueError: there is no mask, it has no white, or it is white all over.
    """
    if path is None:
        raise ValueError(
            "inpainting needs to know what to repair; give mask=FILE, a picture that is white there"
        )
    if isinstance(path, Tensor):
        white, path = path[0, 0].float(), "given"
    elif expand(path).is_dir():
        return torch.tensor([[[[0.0, 1.0]]]])
    else:
        white = white_of_file(expand(path))

    white = 1 - white if invert else white
    white = white.masked_fill(white < NEAR, 0.0).masked_fill(white > 1 - NEAR, 1.0)
    check_white(white, str(path), "black" if invert else "white")
    return 1 - white[None, None]


def check_white(white: Tensor, name: str, colour: str) -> None:
    """Raise ValueError at what cannot be meant, and warn of what is unlikely to be.

    Args:
        white: how much is repaired, [H, W] in [0, 1].
        name: the mask's.
        colour: what stands for repair in it.
    """
    if not white.any():
        raise ValueError(
            f"the mask {name} has no {colour}, so there is nothing to repair; "
            f"paint {colour} over what is to go"
        )
    if white.all():
        other = "white" if colour == "black" else "black"
        raise ValueError(
            f"the mask {name} is {colour} all over, so nothing of the photo would be left; "
            f"leave the good parts {other}"
        )

    # Much of it may be the wrong way round.
    lost = float((white > 0).float().mean())
    if lost > MUCH:
        log.warning(
            "the mask %s marks %.0f %% for repair; if that is the wrong way round, "
            "give mask_invert=%s (%s = repair)",
            name,
            100 * lost,
            "false" if colour == "black" else "true",
            colour,
        )


def read_optional_mask(path: str | Path | Tensor | None, invert: bool = False) -> Tensor | None:
    """Read a mask as `read_mask` does; None where `path` is None."""
    return None if path is None else read_mask(path, invert)


def white_of_file(file: Path) -> Tensor:
    """How white the mask in a file is, [H, W] in [0, 1]."""
    if is_measurement(file):
        return white_of(as_numpy(array_of_file(file, ("mask", "y"), "a mask")), file.name)

    photo = decode(file, any_scale=True)
    colours = photo.pixels[0].permute(1, 2, 0)

    # Labels 0 and 1 in a file whose white is 255 or more.
    most = float(colours.max())
    for label in (1 / 255, 1 / 65535) if photo.depth < 32 else ():
        if 0 < most <= label * 1.001:
            colours = colours / label
    if photo.alpha is None:
        return brightness(colours)
    return brightness(torch.cat([colours, photo.alpha[0].permute(1, 2, 0)], -1))


def mask_of(what: Any) -> Tensor:
    """Take a mask that is no file.

    Args:
        what: a PIL image, or an array or tensor (H, W), (H, W, 3 or 4), or with its channels first:
            white, 1 or True where to repair. Whole numbers and floats may go to 1, 255 or 65535.

    Returns:
        [1, 1, H, W] in [0, 1], 1 where to repair.

    Raises:
        TypeError: it is of no such kind.
        ValueError: it has another shape, or negative numbers.
    """
    if isinstance(what, Image.Image):
        picture = upright(what)
        numbers = picture.mode in ("1", "L", "F") or picture.mode.startswith("I")
        plain = numbers and not picture.has_transparency_data
        what = np.asarray(picture if plain else picture.convert("RGBA"))
    what = as_numpy(what) if isinstance(what, Tensor) else what

    # It is white in places, not all over.
    if not isinstance(what, np.ndarray):
        raise TypeError(
            f"mask= is a {type(what).__name__}; "
            "it can be a path, a PIL image, a numpy array or a torch tensor"
        )
    white = white_of(what, "given")
    if bool((white == 1).all()):
        raise ValueError(
            f"mask= is an array of shape {what.shape}, and white all over; "
            "it is (H, W), white or True where to repair and black elsewhere"
        )
    return white[None, None]


def as_numpy(what: np.ndarray | Tensor) -> np.ndarray:
    """An array, or a tensor as one."""
    if isinstance(what, np.ndarray):
        return what
    what = what.detach().cpu()
    return (what.float() if what.dtype == torch.bfloat16 else what).numpy()


def white_of(array: np.ndarray, name: str) -> Tensor:
    """How white an array of any shape and type that a mask may have is, [H, W] in [0, 1]."""
    shape = array.shape
    if array.dtype.kind not in "buif":
        raise TypeError(
            f"the mask {name} is an array of {array.dtype}; it takes numbers, or True and False"
        )

    # Leading dimensions of one are wrapping; channels may come first or last.
    while array.ndim > 3 and array.shape[0] == 1:
        array = array[0]
    first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
    if first and (array.shape[0] == 1 or array.shape[-1] not in (1, 3, 4)):
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4) or not array.size:
        raise ValueError(
            f"mask= is an array of shape {tuple(shape)}; "
            "it takes (H, W), white or True where to repair"
        )

    # By its largest number its white is 1, 255 or 65535.
    values = torch.from_numpy(array.astype(np.float64))
    low, high = (float(v) for v in values.aminmax())
    if not (low >= 0 and high <= WHITES[-1]):  # NaN is neither
        raise ValueError(
            f"the mask {name} holds numbers from {low:.4g} to {high:.4g}; "
            "they go from 0 to 1, to 255 or to 65535"
        )
    white = next(white for white in WHITES if high <= white)
    return brightness((values / white).float())


def brightness(values: Tensor) -> Tensor:
    """[H, W] of [H, W, 1, 3 or 4] in [0, 1]; what is transparent is black."""
    colours, alpha = values[..., :3], values[..., 3:]
    if colours.shape[-1] == 3:
        grey = sum(weight * plane for weight, plane in zip(LUMA, colours.unbind(-1), strict=True))
        flat = torch.as_tensor(grey)
    else:
        flat = colours[..., 0]
    return flat if not alpha.shape[-1] else flat * alpha[..., 0]
