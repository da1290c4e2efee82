"""Which files are meant by input=."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from gdp.picture.codec.kinds import FILM_SUFFIXES, RAW_SUFFIXES
from gdp.picture.measurement import is_measurement
from gdp.picture.names import result_names
from gdp.picture.own import results_among
from gdp.storage.places import expand

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".avif", ".heic", ".heif", ".hif", ".jp2", ".pgm", ".ppm", ".pnm", ".pbm"),
)
# What else in a folder may have been meant: told of, where it is left out
LEFT_OUT = (
    *RAW_SUFFIXES,
    *FILM_SUFFIXES,
    *(".jxl", ".exr", ".hdr", ".psd"),
    *(".pdf", ".svg", ".jxr", ".j2k", ".jpx", ".npy", ".pfm", ".ico", ".tga", ".eps", ".apng"),
)
WILD = set("*?[")  # what makes a path a glob
log = logging.getLogger("gdp")


class Found(NamedTuple):
    """A photo, and what its results are called.

    Attributes:
        file: the photo.
        name: folders of the output and a name without suffix, such as holiday/cat.
    """

    file: Path
    name: str


def find_photos(path: str | Path, recursive: bool = False) -> list[Path]:
    """Find the picture at a path, those in a folder, or those of a glob.

    Args:
        path: a file, a folder, or a glob. A file whose own name looks like a glob is that file.
        recursive: whether to look in folders below a folder too.

    Returns:
        The pictures, by name; results of the program are none of them.

    Raises:
        FileNotFoundError: there is none.
    """
    return search(path, recursive)[1]


def find_all(
    given: str | Path | Sequence[str | Path], recursive: bool = False, skip: Path | None = None
) -> list[Found]:
    """Find the photos of one path, or of several in their order, and name the results.

    A photo below its folder, or below where its glob begins, has its sub-folders in its name.

    Args:
        given: what input= says; see `find_photos`.
        recursive: whether to look in folders below a folder too.
        skip: a folder in which nothing is looked for, as the one of the results.

    Returns:
        The photos; no two names are alike.

    Raises:
        FileNotFoundError: there is none.
    """
    found = []
    for path in [given] if isinstance(given, str | Path) else given:
        root, files = search(path, recursive, skip)
        for file in files:
            inner = file.parent.relative_to(root).parts
            found.append((file, () if ".." in inner else inner))

    if not found:
        raise FileNotFoundError(
            "input= is an empty list; "
            "give a picture, a folder of them, a glob, or a list [a.jpg,b.jpg]"
        )
    return [Found(file, name) for (file, _), name in zip(found, result_names(found), strict=True)]


def search(path: str | Path, recursive: bool, skip: Path | None = None) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the pictures; see `find_photos`."""
    p = expand(path)
    takes = "input= takes a picture, a folder of them, or a glob such as 'photos/*.jpg'"

    if p.is_dir():
        skip = below(p, skip)
        files = walk(p, skip) if recursive else (f for f in p.iterdir() if f.is_file())
        photos = chosen(files, p)
        if not photos:
            more = "" if recursive else "; recursive=true looks below it too"
            raise FileNotFoundError(f"no pictures in the folder {p}{more}; {needs()}")
        return p, photos

    if p.exists() and not p.is_file():
        raise FileNotFoundError(f"{p} is no ordinary file; {takes}")
    if p.is_file():
        return p.parent, [p]

    # A glob: its folders up to the first name that does not exist as it is written, and the rest.
    root, parts = Path(p.anchor), list(p.parts[1:] if p.anchor else p.parts)
    while len(parts) > 1 and ((root / parts[0]).is_dir() or not WILD & set(parts[0])):
        root /= parts.pop(0)
    pattern = "/".join(parts)
    if not WILD & set(pattern):
        raise FileNotFoundError(f"no such file: {p}; {takes}")
    skip = below(root, skip)
    found = (f for f in root.glob(pattern) if f.is_file() and not is_within(f, skip))
    photos = chosen(found, p)  # ** follows no links
    if not photos:
        raise FileNotFoundError(f"no picture matches {p}; {needs()}")
    return root, photos


def needs() -> str:
    """What files have to be called."""
    return f"it needs files ending in {', '.join(SUFFIXES)}"


def chosen(files: Iterable[Path], where: Path) -> list[Path]:
    """Those of the files that are photos, by name; a line tells what is left out.

    Raises:
        FileNotFoundError: all of them are results of the program.
    """
    raw = RAW_SUFFIXES if find_spec("rawpy") is not None else ()
    visible = sorted({file for file in files if not file.name.startswith(".")})
    photos = [file for file in visible if file.suffix.lower() in (*SUFFIXES, *raw)]
    if not photos:  # measurements, where there are no pictures
        return [file for file in visible if is_measurement(file)]
    made = results_among(photos)

    # What may have been meant.
    left = Counter(file.suffix.lower() for file in visible if file.suffix.lower() in LEFT_OUT)
    left -= Counter(dict.fromkeys(raw, left.total()))
    kinds = [f"{count} {suffix}" for suffix, count in sorted(left.items())]
    kinds += [f"{len(made)} of former results"] if made else []
    if kinds:
        remedy = "; pip install rawpy for raw files" if set(left) & set(RAW_SUFFIXES) else ""
        log.info("left out of %s: %s%s", where, ", ".join(kinds), remedy)

    if made and len(made) == len(photos):
        raise FileNotFoundError(
            f"{where} has no pictures but former results; to restore these once more, name them: "
            f"input=[{min(made).name},...]"
        )
    return [file for file in photos if file not in made]


def below(root: Path, skip: Path | None) -> Path | None:
    """The folder of the results, if it is to be passed over: not where photos are in it, too."""
    return skip if is_within(skip or root, root) and not is_within(root, skip) else None


def walk(folder: Path, skip: Path | None) -> Iterator[Path]:
    """All files below a folder; linked and hidden folders are not entered, so no ring of links."""

    def warn(error: OSError) -> None:
        log.warning("%s is not searched: %s", error.filename, error.strerror)

    for here, folders, names in os.walk(folder, onerror=warn):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not is_within(Path(here) / name, skip)
        ]
        yield from (file for name in names if (file := Path(here) / name).is_file())


def is_within(path: Path, folder: Path | None) -> bool:
    """Whether a path is a folder or lies in it."""
    return folder is not None and path.resolve().is_relative_to(folder.resolve())


def namesake(path: str | Path, photo: Path) -> Path:
    """Find the picture that goes with a photo.

    Args:
        path: the picture, or a folder that has one with the photo's name.
        photo: the photo.

    Raises:
        FileNotFoundError: the folder has none.
    """
    folder = expand(path)
    if not folder.is_dir():
        return folder

    for file in sorted(folder.iterdir()):
        known = file.suffix.lower() in (*SUFFIXES, *RAW_SUFFIXES, ".npy")
        if known and file.stem == photo.stem and file.is_file():
            return file
    raise FileNotFoundError(f"no picture named {photo.stem} in {folder}")
