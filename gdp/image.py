"""Pictures in and out: the only place that knows uint8, [0, 1] and [-1, 1]."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from gdp.files import atomic

log = logging.getLogger(__name__)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")


class Photo(NamedTuple):
    """A picture: pixels [1, 3, H, W] in [0, 1], and the std of its rounding in that unit."""

    pixels: Tensor
    rounding: float


def to_model(pixels: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]."""
    return pixels * 2 - 1


def to_image(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], unclipped."""
    return (x + 1) / 2


def rounded(pixels: Tensor) -> Tensor:
    """Pixels as an 8-bit file holds them: clipped, and rounded to multiples of 1 / 255."""
    return (pixels.clamp(0, 1) * 255).round() / 255


def find_photos(path: str | Path) -> list[Path]:
    """The picture at `path`, or those in that folder, by name."""
    p = Path(path).expanduser()
    if p.is_dir():
        photos = sorted(f for f in p.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file())
        if not photos:
            raise FileNotFoundError(f"no pictures in the folder {p}; it needs files ending in {', '.join(SUFFIXES)}")
        return photos
    if not p.is_file():
        raise FileNotFoundError(f"no such file: {p}; input= takes a picture or a folder of them")
    return [p]


def read(path: str | Path) -> Photo:
    """A picture file as RGB, upright. Raises FileNotFoundError, or ValueError where it is none or is damaged."""
    picture = load(path)
    deep = picture.mode in ("I;16", "I;16B", "I;16L", "I")
    if deep or picture.mode == "F":
        values = np.asarray(picture).astype(np.float32) / (65535 if deep else 1)
        values = np.repeat(values[..., None], 3, -1)
    else:
        values = np.asarray(picture.convert("RGB")).astype(np.float32) / 255
    if not np.isfinite(values).all():
        raise ValueError(f"{path} holds NaN or infinite pixels; repair it first")
    levels = {True: 65535.0, False: 255.0}[deep]
    rounding = 0.0 if picture.mode == "F" else 1 / (levels * 12**0.5)
    return Photo(torch.from_numpy(values).permute(2, 0, 1)[None].contiguous(), rounding)


def read_mask(path: str | None) -> Tensor:
    """A mask picture, white = repair (the editors' convention), as [1, 1, H, W] with 1 = keep."""
    if path is None:
        raise ValueError("inpainting needs to know what to repair; give mask=FILE, a picture that is white there")
    keep = torch.from_numpy(np.asarray(load(path).convert("L")) < 128)
    if keep.all():
        raise ValueError(f"the mask {path} has no white, so there is nothing to repair; paint white over what is to go")
    if not keep.any():
        raise ValueError(f"the mask {path} is white all over, so nothing of the photo would be left; leave the good parts black")
    lost = 1 - float(keep.float().mean())
    if lost > 0.6:
        log.warning("the mask %s marks %.0f %% for repair; if that is the wrong way round, invert it: white = repair", path, 100 * lost)
    return keep.float()[None, None]


def read_optional_mask(path: str | None) -> Tensor | None:
    """read_mask where there is one, None where `path` is."""
    return None if path is None else read_mask(path)


def namesake(path: str | Path, photo: Path) -> Path:
    """`path` itself, or, where it is a folder, the picture in it that is called as the photo is."""
    given = Path(path).expanduser()
    if not given.is_dir():
        return given
    for file in find_photos(given):
        if file.stem == photo.stem:
            return file
    raise FileNotFoundError(f"no picture named {photo.stem} in {given}")


def load(path: str | Path) -> Image.Image:
    """A picture, decoded whole and turned upright."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"no such file: {file}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                picture.load()
                return ImageOps.exif_transpose(picture)
    except Image.UnidentifiedImageError:
        raise ValueError(f"{file} is not a picture that can be read; convert it to PNG or JPEG") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(f"{file} claims more than {Image.MAX_IMAGE_PIXELS} pixels; crop or shrink it first") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError) as error:
        raise ValueError(f"{file} is damaged ({error}); save it again from its source") from None


def picture_of(pixels: Tensor) -> Image.Image:
    """[1, C, H, W] in [0, 1] as an 8-bit RGB picture: one is grey, of two the blue stays black, from the fourth on none is shown."""
    values = (pixels[0, :3].clamp(0, 1) * 255).round().byte().cpu()
    values = torch.cat([values, torch.zeros_like(values[:1])]) if len(values) == 2 else values.expand(3, -1, -1)
    return Image.fromarray(values.permute(1, 2, 0).numpy())


def write(pixels: Tensor, path: Path) -> None:
    """Save pixels [1, C, H, W] as 8-bit PNG, whole or not at all."""
    save(picture_of(pixels), path)


def save(picture: Image.Image, path: Path) -> None:
    """Save a picture as PNG through a temporary file beside it."""
    with atomic(path) as temporary:
        picture.save(temporary, format="PNG")


def write_floats(pixels: Tensor, path: Path) -> None:
    """Save [1, 3, H, W] as a TIFF of 32-bit floats, which photographers' tools open as an HDR picture."""
    from tifffile import imwrite

    with atomic(path) as temporary:
        imwrite(temporary, pixels[0].permute(1, 2, 0).float().cpu().numpy(), photometric="rgb")


def compare(panels: Sequence[tuple[str, Tensor]], path: Path) -> dict[str, list[int]]:
    """Save labelled pictures [1, C, H, W] side by side; smaller ones are enlarged to the tallest, pixels kept square.

    Where each is: label -> [left, top, right, bottom] in pixels.
    """
    height, boxes = max(p.shape[-2] for _, p in panels), {}
    pictures = []
    for label, pixels in panels:
        picture = picture_of(pixels)
        if picture.height != height:
            width = max(1, round(picture.width * height / picture.height))
            picture = picture.resize((width, height), Image.Resampling.NEAREST)
        pictures.append((label, f"{label} {pixels.shape[-1]}x{pixels.shape[-2]}", picture))
    font = ImageFont.load_default(max(11, min(height // 20, 40)))
    bar = int(font.getbbox("Xg")[3]) + 6
    gap = max(4, height // 100)
    widths = [max(p.width, int(font.getlength(text)) + 4) + gap for _, text, p in pictures]
    sheet = Image.new("RGB", (sum(widths) - gap, height + bar), "white")
    draw, left = ImageDraw.Draw(sheet), 0
    for (label, text, picture), width in zip(pictures, widths, strict=True):
        draw.text((left + 2, 2), text, fill="black", font=font)
        sheet.paste(picture, (left, bar))
        boxes[label] = [left, bar, left + picture.width, bar + picture.height]
        left += width
    save(sheet, path)
    return boxes
