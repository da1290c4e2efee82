"""What a result was made from and how, in a few hexadecimal digits: by this a finished photo is known again."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# settings that do not change the numbers, or no more than by rounding
COSMETIC = (
    "input",
    "recursive",
    "output",
    "verbose",
    "preview",
    "overwrite",
    "device",
    "batch",
    "checkpoint",
    "report",
)
LARGE = 2**26  # bytes of a file that is known by its size and time, as weights are


def of_settings(config: Mapping[str, Any]) -> str:
    """Of a resolved configuration, its cosmetic settings left out, and of the files that it names (masks, kernels, weights)."""
    counted = {key: value for key, value in config.items() if key not in COSMETIC}
    named = sorted({word for word in words(counted) if is_file(word)})
    return digest([counted, [[word, content(Path(word).expanduser())] for word in named]])


def of_photo(files: Iterable[Path]) -> dict[str, Any]:
    """Of the files that a photo, or a scene, is read from: sizes, times and sha256."""
    listed = list(files)
    stats = [file.stat() for file in listed]
    return {
        "bytes": [stat.st_size for stat in stats],
        "modified": [stat.st_mtime_ns for stat in stats],
        "sha256": [sha256(file) for file in listed],
    }


def same_photo(known: Any, files: Sequence[Path]) -> bool:
    """Whether the files are still what `of_photo` told of; those of the same size and time are not read again."""
    if not isinstance(known, Mapping):
        return False
    try:
        stats = [file.stat() for file in files]
        if known.get("bytes") != [stat.st_size for stat in stats]:
            return False
        if known.get("modified") == [stat.st_mtime_ns for stat in stats]:
            return True
        return known.get("sha256") == [sha256(file) for file in files]
    except OSError:
        return False


def digest(values: Any) -> str:
    """sha256 of values in JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def words(values: Any) -> Iterator[str]:
    """Every string in nested settings."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from words(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from words(value)


def is_file(word: str) -> bool:
    """Whether a setting names a file."""
    try:
        return Path(word).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def content(file: Path) -> str:
    """sha256 of a file, or its size and time where it is large."""
    stat = file.stat()
    return f"{stat.st_size} bytes of {stat.st_mtime_ns}" if stat.st_size > LARGE else sha256(file)


def sha256(file: Path) -> str:
    """Of a file's content."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(2**20):
            found.update(block)
    return found.hexdigest()
