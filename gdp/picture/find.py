"""Which files are meant by input=, what their results are called, and where those may lie."""

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

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
LONGEST = 180  # bytes of a result's name, so that NAME.compare.png and a temporary name fit into the 255 of file systems
log = logging.getLogger("gdp")


class Found(NamedTuple):
    """A photo, and what its results are called: folders of the output and a name without suffix, such as holiday/cat."""

    file: Path
    name: str


def find_photos(path: str | Path, recursive: bool = False) -> list[Path]:
    """The picture at `path`, those in that folder (`recursive`: and below it), or those of a glob, by name.

    FileNotFoundError where there is none. A file whose own name looks like a glob is that file.
    """
    return search(path, recursive)[1]


def find_all(
    given: str | Path | Sequence[str | Path], recursive: bool = False, skip: Path | None = None
) -> list[Found]:
    """The photos of one path, or of several in their order, each result's name its own; nothing in the folder `skip`.

    A photo below its folder, or below where its glob begins, keeps its sub-folders in its name.
    """
    found = []
    for one in [given] if isinstance(given, str | Path) else given:
        root, files = search(one, recursive, skip)
        for file in files:
            inner = file.parent.relative_to(root).parts
            found.append((file, () if ".." in inner else inner))
    if not found:
        raise FileNotFoundError(
            "input= is an empty list; give a picture, a folder of them, a glob, or a list [a.jpg,b.jpg]"
        )
    return [Found(file, name) for (file, _), name in zip(found, result_names(found), strict=True)]


def search(path: str | Path, recursive: bool, skip: Path | None = None) -> tuple[Path, list[Path]]:
    """(the folder that names are relative to, the pictures); see find_photos."""
    p = Path(path).expanduser()
    if p.is_dir():
        files = walked(p, skip) if recursive else (f for f in p.iterdir() if f.is_file())
        photos = sorted(f for f in files if is_photo(f))
        if not photos:
            below = "" if recursive else "; recursive=true looks below it too"
            raise FileNotFoundError(
                f"no pictures in the folder {p}{below}; it needs files ending in {', '.join(SUFFIXES)}"
            )
        return p, photos
    if p.exists() and not p.is_file():
        raise FileNotFoundError(
            f"{p} is no ordinary file; input= takes a picture, a folder of them, or a glob such as 'photos/*.jpg'"
        )
    if p.is_file():
        return p.parent, [p]
    root, pattern = globbed(p)
    if not set("*?[") & set(pattern):
        raise FileNotFoundError(
            f"no such file: {p}; input= takes a picture, a folder of them, or a glob such as 'photos/*.jpg'"
        )
    photos = sorted(
        {f for f in root.glob(pattern) if f.is_file() and is_photo(f) and not within(f, skip)}
    )  # ** follows no links
    if not photos:
        raise FileNotFoundError(
            f"no picture matches {p}; it needs files ending in {', '.join(SUFFIXES)}"
        )
    return root, photos


def is_photo(file: Path) -> bool:
    """Whether its name is a picture's; hidden files, such as what macOS leaves on foreign disks, are not."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def walked(folder: Path, skip: Path | None) -> Iterator[Path]:
    """All files below `folder`; linked and hidden folders are not entered, so no ring of links is either."""

    def tell(error: OSError) -> None:
        log.warning("%s is not searched: %s", error.filename, error.strerror)

    for here, folders, names in os.walk(folder, onerror=tell):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not within(Path(here) / name, skip)
        ]
        yield from (file for name in names if (file := Path(here) / name).is_file())


def within(path: Path, folder: Path | None) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return folder is not None and path.resolve().is_relative_to(folder.expanduser().resolve())


def globbed(path: Path) -> tuple[Path, str]:
    """A path as (its folders up to the first name that does not exist as it is written, the pattern that remains)."""
    root, parts = Path(path.anchor), list(path.parts[1:] if path.anchor else path.parts)
    while len(parts) > 1 and ((root / parts[0]).is_dir() or not set("*?[") & set(parts[0])):
        root /= parts.pop(0)
    return root, "/".join(parts)


def result_names(photos: Sequence[tuple[Path, tuple[str, ...]]]) -> list[str]:
    """A name for each (photo, sub-folders): the stem; where others have it, the file name; where they have that too, the stem and a number.

    No photo's name begins with another's and a dot, as NAME.compare.png's would: it has an underscore there.
    """
    stems = [plain_name("/".join((*folders, file.stem))) for file, folders in photos]
    whole = [plain_name("/".join((*folders, file.name))) for file, folders in photos]
    alike, same = (
        Counter(map(str.casefold, stems)),
        Counter(whole),
    )  # some file systems do not tell upper case from lower
    names = [s if alike[s.casefold()] == same[w] else w for s, w in zip(stems, whole, strict=True)]
    bare = {name.casefold() for name in names}
    taken: set[str] = set()
    for i, name in enumerate(names):
        for dot in [m.start() for m in re.finditer(r"\.", name)]:
            if name[:dot].casefold() in bare:
                name = f"{name[:dot]}_{name[dot + 1 :]}"
        names[i], number = name, 2
        while names[i].casefold() in taken:
            names[i], number = f"{name}-{number}", number + 1
        taken.add(names[i].casefold())
    return names


def plain_name(name: str) -> str:
    """A relative name that any file system and terminal bears: no control characters or broken text, no part too long."""
    printable = "".join(c if c.isprintable() else "_" for c in name)
    parts = [part.encode()[:LONGEST].decode(errors="ignore") for part in printable.split("/")]
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)


def placed(folder: Path, name: str) -> Path:
    """folder/name. ValueError where links, or `..` in the name, would have it lie outside `folder`."""
    target = folder / name
    try:
        inside = target.parent.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a ring of links
        inside = False
    if not inside or target.name in ("", ".."):
        raise ValueError(
            f"{target} would lie outside {folder}, through a link in it; remove the link or choose another output="
        )
    return target


def namesake(path: str | Path, photo: Path) -> Path:
    """`path` itself, or, where it is a folder, the picture in it that is called as the photo is."""
    given = Path(path).expanduser()
    if not given.is_dir():
        return given
    for file in find_photos(given):
        if file.stem == photo.stem:
            return file
    raise FileNotFoundError(f"no picture named {photo.stem} in {given}")
