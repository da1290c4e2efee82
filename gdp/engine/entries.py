"""A photo as planners and workers hand it on: where it lies, never its pixels."""

import io
import json
import os
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from gdp.engine.rows import read_group, stream_of
from gdp.picture import size_of
from gdp.remote.store import HEAD, Store
from gdp.remote.urls import is_url
from gdp.storage.files import atomic

ROWS_KEPT = 2  # groups of a table's rows that a process holds


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo.

    Attributes:
        name: of its results, below the output.
        file: its path or URL; of a part, that of the file that holds it.
        title: its file's name.
        part: where in the file it lies: ("bytes", offset, length), ("row", group, row, column); ()
            for all of it.
        settings: those that are this photo's own.
        reference: its truth, if it has one of its own.
        bytes, modified: its size, and when it was written in nanoseconds since 1970; of a part that
            of the file that holds it; 0 of one that is to be asked for.
    """

    name: str
    file: str
    title: str
    part: tuple[Any, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    reference: str | None = None
    bytes: int = 0
    modified: int = 0

    @property
    def far(self) -> bool:
        """Whether it has to be copied to the disk before it is read."""
        return bool(self.part) or is_url(self.file)


def packed(entries: list[Entry]) -> str:
    """Entries as text, for what is sent to workers."""
    return json.dumps([asdict(entry) for entry in entries])


def unpacked(text: str) -> list[Entry]:
    """Entries of text."""
    return [Entry(**{**one, "part": tuple(one["part"])}) for one in json.loads(text)]


def size_at_rest(entry: Entry) -> tuple[int, int] | None:
    """Height and width by the header alone; None where it does not tell."""
    if not entry.far:
        return size_of(Path(entry.file))
    try:
        with opened(entry) as stream:
            return size_of(stream)
    except OSError:
        return None


def opened(entry: Entry) -> BinaryIO:
    """A photo's bytes, as a stream to read its header from."""
    if entry.part and entry.part[0] == "row":
        return io.BytesIO(row_of(entry))
    if entry.part:
        return io.BytesIO(piece(entry, HEAD))
    return Store(entry.file).open(block=HEAD)


def piece(entry: Entry, most: int | None = None) -> bytes:
    """The bytes of a part of a file, or the first of them."""
    _, offset, length = entry.part
    with stream_of(entry.file) as stream:
        stream.seek(offset)
        return stream.read(length if most is None else min(length, most))


def stage(entry: Entry, folder: Path) -> Path:
    """A photo as a file on the disk, with its name and time: a copy unless it is one already.

    Args:
        entry: the photo.
        folder: where a copy is to lie.

    Raises:
        OSError: it cannot be read, or the disk is full.
    """
    if not entry.far:
        return Path(entry.file)
    file = folder / (PurePosixPath(entry.title).name or "photo")
    if not entry.part:
        Store(entry.file).get("", file, entry.modified)
        return file

    content = row_of(entry) if entry.part[0] == "row" else piece(entry)
    with atomic(file) as temporary:
        temporary.write_bytes(content)
    if entry.modified:
        os.utime(file, ns=(entry.modified, entry.modified))
    return file


def row_of(entry: Entry) -> bytes:
    """The bytes of a picture in a table."""
    _, group, row, column = entry.part
    value = column_of(entry.file, entry.modified, group, column)[row].as_py()
    return bytes(value["bytes"] if isinstance(value, dict) else value)


@lru_cache(ROWS_KEPT)
def column_of(file: str, modified: int, group: int, column: str) -> Any:
    """A column of a group of rows of a Parquet file, or of a batch of an Arrow one."""
    return read_group(file, group, column)
