"""Picture files written: the format by the name, with what the photo had beside its colours."""

import logging
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, features
from torch import Tensor

from gdp.picture.alpha import on_white, resize_alpha
from gdp.picture.codec import colour, exif
from gdp.picture.codec.formats import DEPTHS, KINDS, check_result
from gdp.picture.codec.png16 import png16
from gdp.picture.codec.tiff import write_tiff
from gdp.picture.photo import Photo
from gdp.storage.files import atomic

MOST_EXIF = 65533  # bytes that a JPEG holds
log = logging.getLogger("gdp")


def write(
    pixels: Tensor,
    path: Path,
    like: Photo | None = None,
    quality: int = 95,
    depth: int | None = None,
    keep_exif: bool = False,
) -> None:
    """Save a picture, whole or not at all.

    Args:
        pixels: [1, C, H, W] in [0, 1].
        path: the file; its suffix chooses the format.
        like: the photo that the picture is made of. The file gets its transparency, resized (on
            white where the format has none), its colour profile and depth, and is grey where that
            is and the channels are equal.
        quality: JPEG's, WebP's (100 is lossless) and AVIF's, 1 to 100.
        depth: bits a channel: 8, 16, or 32 for floats; by default the deepest of `like`'s that
            the format has.
        keep_exif: whether `like`'s EXIF follows.

    Raises:
        ValueError: the format is not written, or has no such depth or size.
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise ValueError(f"{path.name}: pictures are written as {', '.join(KINDS)}")
    kind = KINDS[suffix]
    check_result(suffix, depth, *pixels.shape[-2:])
    depth = depth or min(8 if like is None else like.depth, max(DEPTHS.get(kind, (8,))))

    values = file_values(to_rgb(pixels), kind, like, depth)
    icc = profile_for(like, kind, grey=values.shape[-1] < 3)
    notes = None
    if keep_exif and like is not None and like.exif is not None:
        notes = exif_for(like.exif, kind, values)

    with atomic(path) as temporary:
        if depth == 8:
            save_by_pil(values, temporary, kind, quality, icc, notes)
        elif kind == "PNG":
            temporary.write_bytes(png16(values, icc, notes))
        else:
            write_tiff(values, temporary, icc, exif.texts(notes) if notes else None)


def to_rgb(pixels: Tensor) -> Tensor:
    """[1, C, H, W] as [1, 3, H, W], clipped: one channel is grey, of two the blue stays black."""
    shown = pixels[:1, :3].clamp(0, 1)
    if shown.shape[1] == 2:
        return torch.cat([shown, torch.zeros_like(shown[:, :1])], 1)
    return shown.expand(-1, 3, -1, -1)


def file_values(pixels: Tensor, kind: str, like: Photo | None, depth: int) -> np.ndarray:
    """What a file holds of pixels [1, 3, H, W]: [H, W, C] of uint8, uint16 or float32.

    It is grey where `like` is and the channels are equal; transparency is last.
    """
    pixels = pixels.float().cpu()
    alpha = None
    if like is not None and like.alpha is not None:
        alpha = resize_alpha(like.alpha.float().cpu(), *pixels.shape[-2:])

    # Where the format has no transparency.
    if alpha is not None and kind in ("JPEG", "BMP"):
        if bool((alpha < 1).any()):
            warn_once(
                f"{kind} files hold no transparency: results are put on white; format=png keeps it"
            )
        pixels, alpha = on_white(pixels, alpha), None

    planes = [quantise(pixels, depth)]
    if like is not None and like.grey and bool((planes[0] == planes[0][..., :1]).all()):
        planes = [planes[0][..., :1]]
    if alpha is not None:
        planes.append(quantise(alpha, depth))
    return np.concatenate(planes, -1)


def quantise(pixels: Tensor, depth: int) -> np.ndarray:
    """[1, C, H, W] in [0, 1] as [H, W, C] of that depth: uint8, uint16, or float32 as it is."""
    values = pixels[0].permute(1, 2, 0).numpy()
    if depth == 32:
        return values.astype(np.float32)
    white, kind = (255, np.uint8) if depth == 8 else (65535, np.uint16)
    return np.rint(values * white).astype(kind)


def save_by_pil(
    values: np.ndarray, file: Path, kind: str, quality: int, icc: bytes | None, notes: bytes | None
) -> None:
    """Save uint8 [H, W, C], C = 1 to 4 with transparency last where even, by PIL."""
    picture = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
    settings: dict[str, Any] = {}
    if kind in ("JPEG", "WEBP", "AVIF"):
        settings["quality"] = quality
    if kind == "JPEG" and quality >= 90:
        settings["subsampling"] = 0  # colours at full size
    if kind == "WEBP" and quality == 100:
        settings["lossless"] = True
    if kind == "TIFF" and features.check("libtiff") and not notes:
        settings["compression"] = "tiff_lzw"  # libtiff takes no EXIF below the top

    # Without profile and EXIF where the format's writer refuses them.
    beside = {"icc_profile": icc, "exif": notes}
    beside = {name: data for name, data in beside.items() if data}
    try:
        picture.save(file, format=kind, **settings, **beside)
    except (OSError, ValueError, TypeError, RuntimeError, struct.error) as error:
        if not beside or (isinstance(error, OSError) and error.errno is not None):
            raise
        warn_once(
            f"a {kind} file cannot hold a photo's EXIF or colour profile ({error}): "
            "they are left out"
        )
        picture.save(file, format=kind, **settings)


def profile_for(like: Photo | None, kind: str, grey: bool) -> bytes | None:
    """The colour profile for a file, if there is one that it can hold and that fits its colours."""
    if like is None or like.icc is None:
        return None

    if kind == "BMP":
        warn_once(
            "BMP files hold no colour profile: the photos' own are left out; format=png keeps them"
        )
        return None
    if not grey and colour.space_of(like.icc) == b"GRAY":
        warn_once("a grey photo's colour profile does not fit a result in colours, and is left out")
        return None
    return like.icc


def exif_for(data: bytes, kind: str, values: np.ndarray) -> bytes | None:
    """A photo's EXIF for a result of values [H, W, C]; None where the file cannot hold it."""
    data = exif.with_size(data, values.shape[1], values.shape[0])

    if kind == "BMP" or (kind == "JPEG" and len(data) > MOST_EXIF):
        warn_once(f"{kind} files do not hold such EXIF: it is left out; format=png keeps it")
        return None
    if kind == "TIFF" and values.dtype != np.uint8:
        warn_once(
            "of EXIF, TIFF files of 16 bits and of floats get the texts only "
            "(camera, date, copyright); format=png keeps all"
        )
    return data


@cache
def warn_once(text: str) -> None:
    """Warn of it, once in this process."""
    log.warning(text)
