"""Which files are meant by input=."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gdp.picture.measurement import is_measurement
from gdp.picture.names import result_names

SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".tif",
    ".tiff",
    ".bmp",
    ".gif",
    ".avif",
    ".heic",
    ".heif",
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
        The pictures, by name.

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
    p = Path(path).expanduser()
    takes = "input= takes a picture, a folder of them, or a glob such as 'photos/*.jpg'"

    if p.is_dir():
        files = walk(p, skip) if recursive else (f for f in p.iterdir() if f.is_file())
        inputs = sorted(f for f in files if is_input(f))
        photos = [f for f in inputs if is_photo(f)] or inputs
        if not photos:
            below = "" if recursive else "; recursive=true looks below it too"
            raise FileNotFoundError(
                f"no pictures in the folder {p}{below}; "
                f"it needs files ending in {', '.join(SUFFIXES)}"
            )
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
    photos = sorted(  # ** follows no links
        {f for f in root.glob(pattern) if f.is_file() and is_input(f) and not is_within(f, skip)}
    )
    if not photos:
        raise FileNotFoundError(
            f"no picture matches {p}; it needs files ending in {', '.join(SUFFIXES)}"
        )
    return root, photos


def is_photo(file: Path) -> bool:
    """Whether its name is a picture's; hidden files, as macOS leaves on foreign disks, are not."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def is_input(file: Path) -> bool:
    """Whether its name is a picture's or a measurement's; folders of both are of pictures."""
    return is_photo(file) or (is_measurement(file) and not file.name.startswith("."))


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
    return folder is not None and path.resolve().is_relative_to(folder.expanduser().resolve())


def namesake(path: str | Path, photo: Path) -> Path:
    """Find the picture that goes with a photo.

    Args:
        path: the picture, or a folder that has one with the photo's name.
        photo: the photo.

    Raises:
        FileNotFoundError: the folder has none.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        return folder

    for file in find_photos(folder):
        if file.stem == photo.stem:
            return file
    raise FileNotFoundError(f"no picture named {photo.stem} in {folder}")
