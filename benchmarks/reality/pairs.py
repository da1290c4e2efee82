"""Pairs of a degraded photo and its truth, found in a folder.

    FOLDER/SET/NAME_in.png      the photo            FOLDER/SET/NAME_gt.png       the truth
    FOLDER/SET/NAME_lr2.png     ... shrunk by 2      FOLDER/SET/NAME_kernel.png   of its blur
    FOLDER/SET/NAME_in0.png ... several exposures    FOLDER/SET/NAME_gt.tif       their light

Pairs at even places of a set's sorted list are its even half, the others its odd half: constants
may be chosen on the one and are reported on the other.
"""

from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from benchmarks.scoring import crop_square
from gdp.picture import picture_of, read

HALVES = ("even", "odd")


class Pair(NamedTuple):
    """A degraded photo and what it should have been.

    Attributes:
        set: of which it is one.
        name: its own.
        half: even or odd.
        photo: what other methods see, [1, 3, H, W] in [0, 1].
        truth: [1, 3, H, W] in [0, 1].
        given: what `gdp.restore` takes: a file, a tensor [3, H, W], or files of exposures.
        small: file of the photo at half the size.
        kernel: file of its blur.
        light: true light of a scene, linear, [1, 3, H, W].
    """

    set: str
    name: str
    half: str
    photo: Tensor
    truth: Tensor
    given: Any
    small: Path | None = None
    kernel: Path | None = None
    light: Tensor | None = None


class Photo(NamedTuple):
    """A clean photo to simulate cameras with.

    Attributes:
        name: its own.
        half: even or odd.
        pixels: [1, 3, H, W] in [0, 1], even sides.
    """

    name: str
    half: str
    pixels: Tensor


class Crops:
    """Files of photos, and of their centres where a size is asked for.

    Args:
        work: folder for files of crops.
        size: side of the centre crop; None takes whole photos.
    """

    def __init__(self, work: Path, size: int | None = None):
        self.work, self.size = work, size

    def file(self, file: Path, scale: int = 1) -> Path:
        """The file itself, or one of its centre; `scale` times smaller photos have smaller ones."""
        if self.size is None:
            return file
        target = self.work / file.parent.name / f"{file.stem}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture_of(self.centre(read(file).pixels, scale)).save(target)
        return target

    def centre(self, pixels: Tensor, scale: int = 1) -> Tensor:
        """The centre of pixels [1, C, H, W]; all of a side that is shorter."""
        if self.size is None:
            return pixels
        least = min(self.size // scale, *pixels.shape[-2:])
        return crop_square(pixels, least)


def find_sets(folder: Path) -> list[str]:
    """The sets in a folder: its sub-folders with truths in them."""
    return sorted({file.parent.name for file in folder.glob("*/*_gt.png")})


def find_pairs(folder: Path, name: str, crops: Crops, limit: int | None = None) -> list[Pair]:
    """Read the pairs of a set.

    Args:
        folder: of all sets.
        name: the set.
        crops: how much of each photo.
        limit: the first so many by name.

    Raises:
        FileNotFoundError: the set has none.
    """
    truths = sorted((folder / name).glob("*_gt.png"))
    if not truths:
        raise FileNotFoundError(
            f"no pairs in {folder / name}; it needs files NAME_in.png and NAME_gt.png"
        )
    return [pair(name, file, i, crops) for i, file in enumerate(truths[:limit])]


def pair(name: str, truth: Path, place: int, crops: Crops) -> Pair:
    """Read one pair by the file of its truth, which has a place in the sorted list."""
    stem = truth.name.removesuffix("_gt.png")

    def beside(ending: str) -> Path | None:
        file = truth.with_name(f"{stem}_{ending}")
        return file if file.is_file() else None

    # One photo, or the middle one of several exposures
    exposures = [crops.file(f) for f in sorted(truth.parent.glob(f"{stem}_in[0-9].png"))]
    one = beside("in.png")
    shown = exposures[len(exposures) // 2] if exposures else crops.file(one or truth)

    # What comes with it
    small, light = beside("lr2.png"), beside("gt.tif")
    return Pair(
        name,
        stem,
        HALVES[place % 2],
        read(shown).pixels,
        crops.centre(read(truth).pixels),
        exposures or shown,
        crops.file(small, 2) if small else None,
        beside("kernel.png"),
        crops.centre(read_light(light)) if light else None,
    )


def read_light(file: Path) -> Tensor:
    """Linear light [1, 3, H, W] of a TIFF of floats."""
    import tifffile
    import torch

    values = torch.from_numpy(tifffile.imread(file).astype("float32"))
    return values.permute(2, 0, 1)[None]
