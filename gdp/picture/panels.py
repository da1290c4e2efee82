"""Pictures to look at: 8-bit panels, comparisons side by side, and maps of floats."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gdp.picture.codec.write import quantise, to_rgb
from gdp.storage.files import atomic


def picture_of(pixels: Tensor) -> Image.Image:
    """Show pixels as an 8-bit RGB picture.

    Args:
        pixels: [1, C, H, W] in [0, 1]. One channel is grey, of two the blue stays black, and from
            the fourth on none is shown.
    """
    return Image.fromarray(quantise(to_rgb(pixels).float().cpu(), 8))


def save(picture: Image.Image, path: Path) -> None:
    """Save a picture as PNG, whole or not at all."""
    with atomic(path) as temporary:
        picture.save(temporary, format="PNG")


def write_floats(pixels: Tensor, path: Path) -> None:
    """Save [1, 3, H, W] as a TIFF of 32-bit floats, which photographers' tools open as HDR."""
    from tifffile import imwrite

    with atomic(path) as temporary:
        imwrite(temporary, pixels[0].permute(1, 2, 0).float().cpu().numpy(), photometric="rgb")


def write_array(values: np.ndarray, path: Path) -> None:
    """Save numbers as .npy."""
    with atomic(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, values)


def bands(pixels: Tensor, scene: bool = False) -> Tensor:
    """What is shown of [B, C, H, W]: as it is up to three channels, else three, evenly spaced.

    The last ones are red: bands of a spectrum mostly come by wavelength.

    Args:
        pixels: a picture, or several.
        scene: they are exposures of a scene, three channels each; the one in the middle is shown.
    """
    C = pixels.shape[1]
    if C <= 3:
        return pixels
    if scene and C % 3 == 0:
        middle = (C // 3 - 1) // 2
        return pixels[:, 3 * middle : 3 * middle + 3]
    return pixels[:, [round(share * (C - 1)) for share in (5 / 6, 1 / 2, 1 / 6)]]


def compare(panels: Sequence[tuple[str, Tensor]], path: Path) -> dict[str, list[int]]:
    """Save labelled pictures side by side as a PNG.

    Smaller pictures are enlarged to the tallest one's height, their pixels kept square.

    Args:
        panels: (label, pixels [1, C, H, W] in [0, 1]) from left to right.
        path: the PNG to write.

    Returns:
        Where each picture lies: label -> [left, top, right, bottom] in pixels.
    """
    # All panels at one height.
    height = max(pixels.shape[-2] for _, pixels in panels)
    pictures = []
    for label, pixels in panels:
        picture = picture_of(pixels)
        if picture.height != height:
            width = max(1, round(picture.width * height / picture.height))
            picture = picture.resize((width, height), Image.Resampling.NEAREST)
        pictures.append((label, f"{label} {pixels.shape[-1]}x{pixels.shape[-2]}", picture))

    # Each is as wide as its picture or its text.
    font = ImageFont.load_default(max(11, min(height // 20, 40)))
    bar = int(font.getbbox("Xg")[3]) + 6
    gap = max(4, height // 100)
    widths = [max(p.width, int(font.getlength(text)) + 4) + gap for _, text, p in pictures]

    sheet = Image.new("RGB", (sum(widths) - gap, height + bar), "white")
    draw, left = ImageDraw.Draw(sheet), 0
    boxes = {}
    for (label, text, picture), width in zip(pictures, widths, strict=True):
        draw.text((left + 2, 2), text, fill="black", font=font)
        sheet.paste(picture, (left, bar))
        boxes[label] = [left, bar, left + picture.width, bar + picture.height]
        left += width

    save(sheet, path)
    return boxes
