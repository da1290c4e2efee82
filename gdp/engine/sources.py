"""Which photos input= means, where they lie in storage, in shards or in tables."""

import fnmatch
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gdp.engine.entries import Entry
from gdp.engine.tables import is_table, read_table
from gdp.picture import Found, find_all
from gdp.picture.find import SUFFIXES
from gdp.picture.names import result_names
from gdp.remote.store import Store, Stored
from gdp.remote.urls import SIGNS, is_url, name_of
from gdp.storage.places import expand

SHARD, PACKED = ".tar", (".tar.gz", ".tgz", ".tar.zst", ".tar.xz")
SAVED = "dataset_info.json"  # of a folder as datasets saves it
Given = str | Sequence[str]


def is_special(given: Given | None) -> bool:
    """Whether input= means more than pictures on a disk."""
    several = [] if given is None else [given] if isinstance(given, str) else list(given)
    return any(is_url(one) or is_shard(one) or is_table(one) or is_saved(one) for one in several)


def is_shard(path: str) -> bool:
    """Whether a path or URL is that of an archive of photos."""
    return path.lower().endswith((SHARD, *PACKED))


def is_saved(path: str) -> bool:
    """Whether a path on the disk is a folder as datasets saves one, with its photos in rows."""
    try:
        folder = expand(path)
        return (folder / SAVED).is_file() and any(folder.glob("*.arrow"))
    except (OSError, ValueError):
        return False


def entries_of(given: Given, recursive: bool = False, skip: Path | None = None) -> list[Entry]:
    """The photos that input= means, by the names of their results.

    Args:
        given: paths, folders, globs, URLs of these, shards (.tar), manifests (.csv, .parquet), sets
            in rows; one or a list.
        recursive: whether to look in folders below a folder too.
        skip: a folder in which nothing is looked for.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a table or a shard is none that can be read.
    """
    if not is_special(given):
        photos = find_all(given, recursive, skip=skip)
        return [entry_of_file(one) for one in photos]

    found: list[tuple[Entry, tuple[str, ...]]] = []
    for path in [given] if isinstance(given, str) else given:
        before = len(found)
        found += photos_at(path, recursive, skip)
        if len(found) == before:
            raise FileNotFoundError(
                f"no pictures at {path}; input= takes pictures, folders of them, globs, shards "
                f"({SHARD}) and manifests (.csv, .parquet); recursive=true looks below a folder too"
            )
    if not found:
        raise FileNotFoundError("input= is an empty list; give pictures, or folders of them")

    # No two results are called alike.
    named = [(Path(e.name + PurePosixPath(e.title).suffix), inner) for e, inner in found]
    names = result_names(named)
    return [replace(entry, name=n) for (entry, _), n in zip(found, names, strict=True)]


def photos_at(
    path: str, recursive: bool, skip: Path | None
) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    """The photos at one path, each with its folders below it."""
    folder = None if is_url(path) else expand(path)
    if folder is not None and is_saved(path):
        for table in sorted(folder.glob("*.arrow")):
            yield from ((entry, ()) for entry in read_table(str(table)))
    elif is_shard(path) or is_table(path):
        for one in matching(path):
            photos = read_shard(one) if is_shard(one) else ((e, ()) for e in read_table(one))
            yield from photos
    elif is_url(path):
        yield from ((entry_of(one), folders_of(one)) for one in stored(path, recursive))
    else:
        for found in find_all(path, recursive, skip=skip):
            *inner, name = found.name.split("/")
            yield replace(entry_of_file(found), name=name), tuple(inner)


def entry_of_file(found: Found, reference: Path | None = None) -> Entry:
    """A photo of a disk, and its truth if it has one of its own."""
    truth = None if reference is None else str(reference)
    return Entry(found.name, str(found.file), found.file.name, reference=truth)


def entry_of(one: Stored) -> Entry:
    """A photo of a storage."""
    name = name_of(one.url)
    stem = PurePosixPath(name).stem
    return Entry(stem, one.url, name, bytes=one.bytes, modified=one.modified)


def folders_of(one: Stored) -> tuple[str, ...]:
    """The folders that a photo's name begins with."""
    return PurePosixPath(one.name).parts[:-1]


def stored(url: str, recursive: bool) -> Iterator[Stored]:
    """The pictures at a URL: a file, those of a folder, or those of a glob in its last part."""
    name = name_of(url)
    if SIGNS & set(name):
        folder = Store(url.rpartition("/")[0])
        for one in folder.files(recursive="**" in name):
            if fnmatch.fnmatch(name_of(one.url), name.replace("**", "*")) and is_picture(one):
                yield one
        return

    store = Store(url)
    single = store.look()
    if single is not None:
        yield single
        return
    yield from own_ones(one for one in store.files(recursive) if is_picture(one))


def own_ones(files: Iterator[Stored]) -> Iterator[Stored]:
    """Those of the pictures that are not panels or previews of this program."""
    for one in files:
        if not PurePosixPath(one.name).stem.endswith((".compare", ".preview")):
            yield one


def is_picture(one: Stored) -> bool:
    """Whether a file's name is that of a picture, and shown."""
    name = name_of(one.url)
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def matching(path: str) -> list[str]:
    """The files of a path whose last part may be a glob."""
    name = name_of(path)
    if not SIGNS & set(name):
        return [path]
    folder = path.rpartition("/")[0]
    if is_url(path):
        inside = Store(folder).files()
        return [one.url for one in inside if fnmatch.fnmatch(one.name, name)]
    return [str(file) for file in sorted(expand(folder or ".").glob(name))]


def read_shard(path: str) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    """The pictures of an archive (WebDataset's samples), where their bytes lie in it.

    Raises:
        ValueError: it is compressed as a whole, or no archive.
    """
    if path.lower().endswith(PACKED):
        raise ValueError(f"{path} is compressed, so no photo of it can be read alone; give a .tar")

    found = Store(path).look() if is_url(path) else None
    modified = expand(path).stat().st_mtime_ns if found is None else found.modified
    stream: BinaryIO = Store(path).open() if is_url(path) else expand(path).open("rb")

    try:
        with stream, tarfile.open(fileobj=stream, mode="r:") as shard:
            for member in shard:
                inner = PurePosixPath(member.name)
                if not member.isfile() or not inner.name.lower().endswith(SUFFIXES):
                    continue

                part = ("bytes", member.offset_data, member.size)
                file = path if is_url(path) else str(expand(path))
                yield (
                    Entry(inner.stem, file, inner.name, part, {}, None, member.size, modified),
                    tuple(one for one in inner.parts[:-1] if one not in (".", "..", "/")),
                )
    except tarfile.TarError as error:
        raise ValueError(f"{path} is no archive that can be read ({error})") from None
