"""Pictures in and out: the only place that knows uint8, [0, 1] and [-1, 1]."""

import logging
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gdp.picture.alpha import framed
from gdp.picture.codec.read import decode, read
from gdp.picture.codec.write import check_output, check_result, quantised, suffix_for, three, write
from gdp.picture.find import find_all, find_photos, namesake, placed, plain_name
from gdp.picture.photo import Photo
from gdp.storage.files import atomic

__all__ = [
    "Photo",
    "check_output",
    "check_result",
    "compare",
    "find_all",
    "find_photos",
    "framed",
    "namesake",
    "picture_of",
    "placed",
    "plain_name",
    "read",
    "read_mask",
    "read_optional_mask",
    "rounded",
    "save",
    "suffix_for",
    "to_image",
    "to_model",
    "write",
    "write_floats",
]
log = logging.getLogger(__name__)
LUMA = (0.299, 0.587, 0.114)


def to_model(pixels: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]."""
    return pixels * 2 - 1


def to_image(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], unclipped."""
    return (x + 1) / 2


def rounded(pixels: Tensor) -> Tensor:
    """Pixels as an 8-bit file holds them: clipped, and rounded to multiples of 1 / 255."""
    return (pixels.clamp(0, 1) * 255).round() / 255


def read_mask(path: str | Path | Tensor | None) -> Tensor:
    """A mask picture, white = repair (the editors' convention), as [1, 1, H, W] with 1 = keep; or its pixels [1, 1, H, W]."""
    if path is None:
        raise ValueError(
            "inpainting needs to know what to repair; give mask=FILE, a picture that is white there"
        )
    if isinstance(path, Tensor):
        keep, path = path[0, 0] < 0.5, "given"
    else:
        photo = decode(path)
        white = sum(weight * plane for weight, plane in zip(LUMA, photo.pixels[0], strict=True))
        keep = (white if photo.alpha is None else white * photo.alpha[0, 0]) < 0.5
    if keep.all():
        raise ValueError(
            f"the mask {path} has no white, so there is nothing to repair; paint white over what is to go"
        )
    if not keep.any():
        raise ValueError(
            f"the mask {path} is white all over, so nothing of the photo would be left; leave the good parts black"
        )
    lost = 1 - float(keep.float().mean())
    if lost > 0.6:
        log.warning(
            "the mask %s marks %.0f %% for repair; if that is the wrong way round, invert it: white = repair",
            path,
            100 * lost,
        )
    return keep.float()[None, None]


def read_optional_mask(path: str | Path | Tensor | None) -> Tensor | None:
    """read_mask where there is one, None where `path` is."""
    return None if path is None else read_mask(path)


def picture_of(pixels: Tensor) -> Image.Image:
    """[1, C, H, W] in [0, 1] as an 8-bit RGB picture: one is grey, of two the blue stays black, from the fourth on none is shown."""
    return Image.fromarray(quantised(three(pixels).float().cpu(), 8))


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
