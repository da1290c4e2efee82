"""Pairs made of clean photos, for what is exactly known.

phone_STRENGTH   a phone's camera and its JPEG (benchmarks/phone.py)
white_SIGMA      y = x + SIGMA n, floats that are not clipped; ours is told SIGMA
grey_SIGMA       the same on a grey photo, one noise for R, G and B
sharp_QUALITY    nothing but a JPEG of this quality, or `png`
soft_SIGMA       a Gaussian blur of SIGMA pixels, then a JPEG of quality 90
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.phone import jpeg, phone_file
from benchmarks.reality.pairs import HALVES, Crops, Pair, Photo
from gdp.picture import find_photos, picture_of, read
from gdp.prior.noise import Noise
from operators.blur import Blur
from operators.blur.kernels import gaussian

SETS = (
    "phone_mild phone_strong white_0.05 white_0.1 white_0.2 grey_0.05 grey_0.1 "
    "sharp_png sharp_95 sharp_85 sharp_75 soft_0.5 soft_1 soft_1.5"
).split()
SOFT_QUALITY = 90

# Public-domain photos of scikit-image
PUBLIC = ("astronaut", "chelsea", "coffee", "rocket")


def clean_photos(folder: Path | None, crops: Crops, limit: int | None = None) -> list[Photo]:
    """Clean photos of a folder, or scikit-image's public-domain ones."""
    if folder is None:
        whole = [(name, public(name)) for name in PUBLIC[:limit]]
    else:
        files = find_photos(folder)[:limit]
        whole = [(file.stem, read(file).pixels) for file in files]

    # Bayer patterns need even sides.
    photos = []
    for i, (name, pixels) in enumerate(whole):
        H, W = (n // 2 * 2 for n in crops.centre(pixels).shape[-2:])
        photos.append(Photo(name, HALVES[i % 2], crops.centre(pixels)[..., :H, :W]))
    return photos


def public(name: str) -> Tensor:
    """A photo of scikit-image's at half its size, [1, 3, H, W] in [0, 1]: its own noise is gone."""
    import skimage.data
    import torch.nn.functional as F

    pixels = torch.from_numpy(np.ascontiguousarray(getattr(skimage.data, name)()))
    return F.avg_pool2d(pixels.permute(2, 0, 1)[None] / 255, 2)


def simulate(name: str, photos: Sequence[Photo], work: Path) -> list[Pair]:
    """Make a set of clean photos; a photo's place is its seed.

    Args:
        name: of `SETS`, or with other numbers.
        photos: clean ones.
        work: folder for the files that a camera would have written.

    Raises:
        ValueError: there is no such set.
    """
    kind, _, value = name.partition("_")
    if kind not in KINDS:
        raise ValueError(f"no set named {name}; there are {', '.join(SETS)}")
    (work / name).mkdir(parents=True, exist_ok=True)
    return [KINDS[kind](name, value, p, seed, work / name) for seed, p in enumerate(photos)]


def from_phone(name: str, strength: str, photo: Photo, seed: int, work: Path) -> Pair:
    """A phone's photo."""
    return written(name, photo, phone_file(photo.pixels[0], strength, seed), work)


def with_white(name: str, sigma: str, photo: Photo, seed: int, work: Path) -> Pair:
    """White noise of a known std, in floats."""
    y = photo.pixels + float(sigma) * Noise([seed], "degrade").like(photo.pixels)
    return Pair(name, photo.name, photo.half, y, photo.pixels, y[0])


def with_grey(name: str, sigma: str, photo: Photo, seed: int, work: Path) -> Pair:
    """A grey photo with grey noise, in floats."""
    grey = photo.pixels.mean(1, keepdim=True)
    y = grey + float(sigma) * Noise([seed], "degrade").like(grey)
    x, y = (p.expand(-1, 3, -1, -1).contiguous() for p in (grey, y))
    return Pair(name, photo.name, photo.half, y, x, y[0])


def as_sharp(name: str, quality: str, photo: Photo, seed: int, work: Path) -> Pair:
    """The photo itself, in 8 bits or as a JPEG."""
    if quality != "png":
        return written(name, photo, jpeg(photo.pixels[0], int(quality)), work)
    file = work / f"{photo.name}.png"
    picture_of(photo.pixels).save(file)
    return Pair(name, photo.name, photo.half, read(file).pixels, photo.pixels, file)


def as_soft(name: str, sigma: str, photo: Photo, seed: int, work: Path) -> Pair:
    """A soft photo, as a JPEG."""
    side = 2 * round(4 * float(sigma)) + 1
    soft = Blur(gaussian(side, float(sigma)))(photo.pixels).clamp(0, 1)
    return written(name, photo, jpeg(soft[0], SOFT_QUALITY), work)


def written(name: str, photo: Photo, content: bytes, work: Path) -> Pair:
    """The pair of a JPEG."""
    file = work / f"{photo.name}.jpg"
    file.write_bytes(content)
    with Image.open(file) as opened:
        height, width = opened.height, opened.width
    return Pair(
        name,
        photo.name,
        photo.half,
        read(file).pixels,
        photo.pixels[..., :height, :width],
        file,
    )


KINDS: dict[str, Callable[[str, str, Photo, int, Path], Pair]] = {
    "phone": from_phone,
    "white": with_white,
    "grey": with_grey,
    "sharp": as_sharp,
    "soft": as_soft,
}
