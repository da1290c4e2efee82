"""Pictures for the page: what browsers show, not larger than they bear."""

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from gdp.picture import Photo, read, write

MOST = 25_000_000  # pixels that a page is given; a download has all
LOSSLESS = 4_000_000  # pixels up to which it gets them unchanged
THUMB, QUALITY = 320, 92


def shown(file: Path, folder: Path) -> list[int]:
    """Write what the page shows of a picture's file; see `shown_photo`.

    Returns:
        Width and height of the picture itself.
    """
    return shown_photo(read(file), folder, file.stem)


def shown_photo(photo: Photo, folder: Path, stem: str) -> list[int]:
    """The same of a photo in memory: STEM.png or STEM.jpg, and STEM.thumb.jpg."""
    folder.mkdir(parents=True, exist_ok=True)
    height, width = photo.pixels.shape[-2:]
    pixels = reduced(photo.pixels, MOST)
    kind = "png" if height * width <= LOSSLESS else "jpg"
    write(pixels, folder / f"{stem}.{kind}", photo._replace(depth=8, exif=None), QUALITY)

    # Small, for lists.
    small = reduced(photo.pixels, THUMB * THUMB)
    write(small, folder / f"{stem}.thumb.jpg", photo._replace(depth=8, exif=None, alpha=None), 85)
    return [width, height]


def reduced(pixels: Tensor, most: int) -> Tensor:
    """Pixels [1, C, H, W] at no more than so many of them, by means of areas."""
    height, width = pixels.shape[-2:]
    scale = (most / (height * width)) ** 0.5
    if scale >= 1:
        return pixels
    size = max(1, int(height * scale)), max(1, int(width * scale))
    return F.interpolate(pixels, size, mode="area")


def view_of(folder: Path, stem: str) -> Path | None:
    """The picture for the page, if it has been made."""
    for kind in ("png", "jpg"):
        file = folder / f"{stem}.{kind}"
        if file.is_file():
            return file
    return None
