"""The papers' sets of photos, found in the user's folders and checked; nothing is downloaded."""

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from gdp.picture.codec.write import quantise
from gdp.picture.find import SUFFIXES, Found
from gdp.picture.photo import Photo
from gdp.picture.size import size_of


class Dataset(NamedTuple):
    """A set of photos.

    Attributes:
        title: what messages call it.
        source: where it comes from.
        layout: how its folder looks.
        photos: how many it has.
        files: a pattern of their paths below its folder.
        names: a file there that lists their names, one a line.
        sizes: widths and heights that they have; empty for any.
        square: side of the square that papers cut them to; None leaves them as they are.
        degraded: what in a path tells the degraded photo, and what the truth has in its place.
    """

    title: str
    source: str
    layout: str
    photos: int
    files: str = "*"
    names: str | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    square: int | None = None
    degraded: tuple[str, str] | None = None


FACES, BERKELEY = ((256, 256),), ((481, 321), (321, 481))
DATASETS = {
    "imagenet1k": Dataset(
        "ImageNet 1k, the 1,000 validation photos of DGP, DDRM and DDNM",
        "image-net.org (ILSVRC2012 validation); the list is exp/imagenet_val_1k.txt of DDRM",
        "imagenet1k/imagenet_val_1k.txt and the photos it names, in any sub-folder",
        1000,
        names="imagenet_val_1k.txt",
        square=256,
    ),
    "celebahq1k": Dataset(
        "CelebA-HQ, the 1,000 faces of DDNM",
        "the links of DDNM's README",
        "celebahq1k/*.png, 256 x 256",
        1000,
        sizes=FACES,
    ),
    "ffhq1k": Dataset(
        "FFHQ, 1,000 faces",
        "NVIDIA's ffhq-dataset, its first 1,000 reduced to 256 x 256",
        "ffhq1k/00000.png to 00999.png, 256 x 256",
        1000,
        sizes=FACES,
    ),
    "lol15": Dataset(
        "LOL, the 15 pairs of evaluation",
        "daooshee.github.io/BMVC2018website",
        "lol15/low/*.png and lol15/high/*.png, 600 x 400",
        15,
        "low/*",
        sizes=((600, 400),),
        degraded=("low", "high"),
    ),
    "kodak24": Dataset(
        "Kodak's 24 photos",
        "r0k.us/graphics/kodak",
        "kodak24/kodim01.png to kodim24.png",
        24,
        sizes=((768, 512), (512, 768)),
    ),
    "cbsd68": Dataset(
        "CBSD68",
        "Berkeley's BSDS, the 68 photos of papers of noise",
        "cbsd68/*, 481 x 321",
        68,
        sizes=BERKELEY,
    ),
    "bsd100": Dataset(
        "BSD100", "Berkeley's BSDS, test", "bsd100/*, 481 x 321", 100, sizes=BERKELEY
    ),
    "set5": Dataset("Set5", "papers of enlargement", "set5/*", 5),
    "set14": Dataset("Set14", "papers of enlargement", "set14/*", 14),
    "urban100": Dataset("Urban100", "papers of enlargement", "urban100/*", 100),
    "polyu": Dataset(
        "PolyU, the 100 cut pairs of real noise",
        "PolyU-Real-World-Noisy-Images-Dataset, CroppedImages",
        "polyu/*_real.JPG and *_mean.JPG, 512 x 512",
        100,
        "*_real.*",
        sizes=((512, 512),),
        degraded=("_real", "_mean"),
    ),
    "cc15": Dataset(
        "CC15, 15 pairs of real noise",
        "Nam et al., CVPR 2016, the 15 cut pairs",
        "cc15/*_real.png and *_mean.png, 512 x 512",
        15,
        "*_real.*",
        sizes=((512, 512),),
        degraded=("_real", "_mean"),
    ),
}


def find_dataset(name: str, data: Path) -> list[tuple[Found, Path | None]]:
    """The photos of a set, each with its truth where the set has one.

    Args:
        name: one of DATASETS.
        data: the folder in which the sets lie.

    Raises:
        FileNotFoundError: it is not there; says where it comes from and how it has to lie.
        ValueError: photos are missing or too many, or one has another size.
    """
    known, folder = DATASETS[name], data / name
    where = f"get it from {known.source}; it has to lie as {data}/{known.layout}"
    if not folder.is_dir():
        raise FileNotFoundError(f"{known.title}: no folder {folder} (data= says where); {where}")

    files = sorted(listed(known, folder) if known.names else pictures(known.files, folder))
    if len(files) != known.photos:
        raise ValueError(
            f"{known.title}: {len(files)} photos in {folder}, but it has {known.photos}; {where}"
        )
    found = []
    for file in files:
        size = size_of(file)
        if known.sizes and size is not None and size[::-1] not in known.sizes:
            raise ValueError(f"{file} is {size[1]}x{size[0]}; {where}")
        found.append((Found(file, file.stem), truth_of(known, folder, file)))
    return found


def pictures(pattern: str, folder: Path) -> Iterator[Path]:
    """The pictures of a folder whose paths match a pattern."""
    for file in folder.rglob("*"):
        inner = file.relative_to(folder).as_posix()
        if fnmatch.fnmatch(inner, pattern) and file.suffix.lower() in SUFFIXES:
            yield file


def listed(known: Dataset, folder: Path) -> Iterator[Path]:
    """The pictures that a list names, wherever below the folder they lie.

    Raises:
        FileNotFoundError: the list, or one of them, is not there.
    """
    assert known.names is not None
    names = folder / known.names
    if not names.is_file():
        raise FileNotFoundError(f"{known.title}: no list {names}; {known.source}")
    there = {file.name: file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES}
    for line in names.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        name = Path(line.split()[0]).name
        if name not in there:
            raise FileNotFoundError(f"{known.title}: no {name} below {folder}")
        yield there[name]


def truth_of(known: Dataset, folder: Path, file: Path) -> Path | None:
    """The truth of a photo of pairs; None where the photo is the truth itself.

    Raises:
        FileNotFoundError: it is not there.
    """
    if known.degraded is None:
        return None
    inner = file.relative_to(folder).as_posix()
    truth = folder / inner.replace(*known.degraded, 1)
    if not truth.is_file():
        raise FileNotFoundError(f"{known.title}: no {truth}, the truth of {file.name}")
    return truth


def squared(photo: Photo, side: int) -> Photo:
    """The middle of a photo as guided-diffusion cuts it for its networks.

    Halved by boxes as long as its shorter side has twice as many pixels, then brought to `side` by
    a bicubic filter, in 8 bits each, and cut.
    """
    picture = Image.fromarray(quantise(photo.pixels, 8))
    while min(picture.size) >= 2 * side:
        half = (picture.width // 2, picture.height // 2)
        picture = picture.resize(half, Image.Resampling.BOX)
    scale = side / min(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    cut = picture.crop((left, top, left + side, top + side))
    pixels = torch.frombuffer(bytearray(cut.tobytes()), dtype=torch.uint8).view(side, side, 3)
    return Photo(pixels.permute(2, 0, 1)[None].float() / 255, photo.rounding)
