"""Picture files written: the format by the name, with the alpha, colour profile, depth and EXIF of the photo that a result comes from."""

import logging
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, features
from torch import Tensor

from gdp.picture.alpha import fitted, on_white
from gdp.picture.codec import colour as picture_colour
from gdp.picture.codec import exif as picture_exif
from gdp.picture.codec.deep import png16, write_tiff
from gdp.picture.photo import Photo
from gdp.storage.files import atomic

KINDS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".avif": "AVIF",
}
DEPTHS = {"PNG": (8, 16), "TIFF": (8, 16, 32)}  # bits a channel; others have 8
LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "BMP": 32767, "AVIF": 16384}
SAME = "same"  # the format that stands for the input's
MOST_EXIF = 65533  # bytes that a JPEG holds
log = logging.getLogger("gdp")


def check_output(format: str | None, quality: int, depth: int | None) -> None:
    """ValueError where a result cannot be written so."""
    if format is not None and format != SAME and f".{format}" not in KINDS:
        raise ValueError(
            f"format={format}; it is {', '.join(s[1:] for s in KINDS)}, or same for the input's"
        )
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise ValueError(
            f"image_quality={quality}; it is a whole number from 1, small files, to 100, good ones"
        )
    if depth is not None and (isinstance(depth, bool) or depth not in (8, 16, 32)):
        raise ValueError(f"depth={depth}; it is 8 or 16 bits a channel, or 32 for floats")
    if format == "avif" and not features.check("avif"):
        raise ValueError(
            "format=avif needs a pillow with AVIF (pip install -U pillow); or choose format=webp"
        )
    if format != SAME:
        check_depth(f".{format or 'png'}", depth)


def check_depth(suffix: str, depth: int | None) -> None:
    """ValueError where the format of `suffix` has no such depth."""
    most = DEPTHS.get(KINDS[suffix], (8,))
    if depth is not None and depth not in most:
        fits = "png" if depth == 16 else "tiff"
        raise ValueError(
            f"depth={depth}, but {suffix[1:]} files hold {' or '.join(map(str, most))} bits a channel; choose format={fits}"
        )


def suffix_for(file: Path, format: str | None, scene: bool = False) -> str:
    """The suffix of a photo's result: `format`'s; with `same` the photo's own, and .png where such files are not written.

    A `scene`'s is .tif in place of .tiff, as its light is in NAME.tiff.
    """
    suffix = f".{format or 'png'}"
    if format == SAME:
        own = file.suffix.lower()
        writable = own in KINDS and (KINDS[own] != "AVIF" or features.check("avif"))
        suffix = own if writable else ".png"
    return ".tif" if scene and suffix == ".tiff" else suffix


def check_result(suffix: str, depth: int | None, height: int, width: int) -> None:
    """ValueError where the format of `suffix` has no such depth, or holds no picture of that size."""
    check_depth(suffix, depth)
    most = LONGEST_SIDE.get(KINDS[suffix])
    if most and max(height, width) > most:
        raise ValueError(
            f"the result is {width}x{height}, but {suffix[1:]} files have at most {most} pixels a side; choose format=png"
        )


def write(
    pixels: Tensor,
    path: Path,
    like: Photo | None = None,
    quality: int = 95,
    depth: int | None = None,
    keep_exif: bool = False,
) -> None:
    """Save pixels [1, C, H, W] in [0, 1], whole or not at all, in the format that the name of `path` ends in.

    From `like` it gets alpha (resized to it), colour profile, depth, grey where its channels are equal, and on request EXIF; a format
    that cannot hold alpha has it on white. `quality` is JPEG's, WebP's (100: lossless) and AVIF's. `depth` is 8, 16 or 32 bits a channel
    (32: floats), by default the deepest of `like`'s that the format has. ValueError where the format has no such depth or size.
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise ValueError(f"{path.name}: pictures are written as {', '.join(KINDS)}")
    kind = KINDS[suffix]
    check_result(suffix, depth, *pixels.shape[-2:])
    depth = depth or min(8 if like is None else like.depth, max(DEPTHS.get(kind, (8,))))
    values = stored(three(pixels), kind, like, depth)
    icc = profile(like, kind, grey=values.shape[-1] < 3)
    exif = None
    if keep_exif and like is not None and like.exif is not None:
        exif = exif_for(like.exif, kind, values)
    with atomic(path) as temporary:
        if depth == 8:
            save_shallow(values, temporary, kind, quality, icc, exif)
        elif kind == "PNG":
            temporary.write_bytes(png16(values, icc, exif))
        else:
            write_tiff(values, temporary, icc, picture_exif.texts(exif) if exif else None)


def three(pixels: Tensor) -> Tensor:
    """[1, C, H, W] as [1, 3, H, W]: one channel is grey, of two the blue stays black, from the fourth on none is shown."""
    shown = pixels[:1, :3].clamp(0, 1)
    return (
        torch.cat([shown, torch.zeros_like(shown[:, :1])], 1)
        if shown.shape[1] == 2
        else shown.expand(-1, 3, -1, -1)
    )


def stored(pixels: Tensor, kind: str, like: Photo | None, depth: int) -> np.ndarray:
    """What the file holds, [H, W, C]: uint8, uint16 or float32; grey where `like` is and the channels are equal; alpha last."""
    pixels = pixels.float().cpu()
    alpha = (
        None
        if like is None or like.alpha is None
        else fitted(like.alpha.float().cpu(), *pixels.shape[-2:])
    )
    if alpha is not None and kind in ("JPEG", "BMP"):
        if bool((alpha < 1).any()):
            tell_once(
                f"{kind} files hold no transparency: results are put on white; format=png keeps it"
            )
        pixels, alpha = on_white(pixels, alpha), None
    planes = [quantised(pixels, depth)]
    if like is not None and like.grey and bool((planes[0] == planes[0][..., :1]).all()):
        planes = [planes[0][..., :1]]
    if alpha is not None:
        planes.append(quantised(alpha, depth))
    return np.concatenate(planes, -1)


def quantised(pixels: Tensor, depth: int) -> np.ndarray:
    """[1, C, H, W] in [0, 1] as [H, W, C]: uint8, uint16, or float32 as it is."""
    values = pixels[0].permute(1, 2, 0).numpy()
    if depth == 32:
        return values.astype(np.float32)
    return np.rint(values * (255 if depth == 8 else 65535)).astype(
        np.uint8 if depth == 8 else np.uint16
    )


def save_shallow(
    values: np.ndarray, file: Path, kind: str, quality: int, icc: bytes | None, exif: bytes | None
) -> None:
    """Save uint8 [H, W, C], C = 1 to 4 with alpha last where even, by PIL."""
    picture = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
    settings: dict[str, Any] = {}
    if kind in ("JPEG", "WEBP", "AVIF"):
        settings["quality"] = quality
    if kind == "JPEG" and quality >= 90:
        settings["subsampling"] = 0  # colours at full size
    if kind == "WEBP" and quality == 100:
        settings["lossless"] = True
    if (
        kind == "TIFF" and features.check("libtiff") and not exif
    ):  # libtiff takes no EXIF below the top
        settings["compression"] = "tiff_lzw"
    if icc:
        settings["icc_profile"] = icc
    if exif:
        settings["exif"] = exif
    try:
        picture.save(file, format=kind, **settings)
    except (OSError, ValueError, TypeError, RuntimeError, struct.error) as error:
        if not (icc or exif) or (isinstance(error, OSError) and error.errno is not None):
            raise
        tell_once(
            f"a {kind} file cannot hold a photo's EXIF or colour profile ({error}): they are left out"
        )
        picture.save(
            file,
            format=kind,
            **{k: v for k, v in settings.items() if k not in ("icc_profile", "exif")},
        )


def profile(like: Photo | None, kind: str, grey: bool) -> bytes | None:
    """The colour profile for the file, if there is one that it can hold and that fits grey, or colours."""
    if like is None or like.icc is None:
        return None
    if kind == "BMP":
        tell_once(
            "BMP files hold no colour profile: the photos' own are left out; format=png keeps them"
        )
        return None
    if not grey and picture_colour.kind_of(like.icc) == b"GRAY":
        tell_once("a grey photo's colour profile does not fit a result in colours, and is left out")
        return None
    return like.icc


def exif_for(exif: bytes, kind: str, values: np.ndarray) -> bytes | None:
    """The photo's EXIF for a result of values [H, W, C]; None, with a warning, where the file cannot hold it."""
    exif = picture_exif.resized(exif, values.shape[1], values.shape[0])
    if kind == "BMP" or (kind == "JPEG" and len(exif) > MOST_EXIF):
        tell_once(f"{kind} files do not hold such EXIF: it is left out; format=png keeps it")
        return None
    if kind == "TIFF" and values.dtype != np.uint8:
        tell_once(
            "of EXIF, TIFF files of 16 bits and of floats get the texts only (camera, date, copyright); format=png keeps all"
        )
    return exif


@cache
def tell_once(text: str) -> None:
    """Warn of it, once in this process."""
    log.warning(text)
