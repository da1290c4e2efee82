"""What a result was made from and how, in a few hexadecimal digits: by them it is known again."""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gdp.storage.files import atomic
from gdp.storage.places import COPIES, cache_folder

# Larger files, such as weights, are known by their size and time: bytes.
LARGE = 2**26
HASHES = "sha256.json"  # in the cache folder: of large files


def of_settings(config: Mapping[str, Any], cosmetic: Container[str]) -> str:
    """The fingerprint of all that a result depends on beside its photo.

    It changes with a setting, and with the content of a file that a setting names (a mask, a
    kernel, weights).

    Args:
        config: the resolved settings, nested mappings and lists of plain values.
        cosmetic: names of settings that leave a result as it is.

    Returns:
        A sha256 in hexadecimal digits.
    """
    counted = {key: value for key, value in config.items() if key not in cosmetic}

    contents, texts = [], sorted(set(strings(counted)))
    for text in texts:
        try:
            file = Path(text).expanduser()
            if not file.is_file():
                continue
        except (OSError, ValueError, RuntimeError):  # nothing that could name a file
            continue

        stat = file.stat()
        large = stat.st_size > LARGE
        known = f"{stat.st_size} bytes of {stat.st_mtime_ns}" if large else sha256(file)
        contents.append([text, known])
    if not any(COPIES in text for text in texts):
        return digest([counted, contents])
    return digest(placeless([counted, contents], str(cache_folder() / COPIES)))


def placeless(values: Any, copies: str) -> Any:
    """Nested values in which copies of remote files are called the same on every machine."""
    if isinstance(values, str):
        return values.replace(copies, COPIES, 1) if values.startswith(copies) else values
    if isinstance(values, Mapping):
        return {key: placeless(value, copies) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [placeless(value, copies) for value in values]
    return values


def of_photo(files: Iterable[Path]) -> dict[str, Any]:
    """The fingerprint of the files that a photo, or a scene, is read from.

    Returns:
        Their sizes in bytes, times of modification in nanoseconds and sha256, file by file.
    """
    listed = list(files)
    stats = [file.stat() for file in listed]
    return {
        "bytes": [stat.st_size for stat in stats],
        "modified": [stat.st_mtime_ns for stat in stats],
        "sha256": [sha256(file) for file in listed],
    }


def same_photo(known: Any, files: Sequence[Path]) -> bool:
    """Whether files are still those of a fingerprint; with the same size and time they are.

    Args:
        known: what `of_photo` gave, or anything else that a report may hold.
        files: the files as they are today.
    """
    if not isinstance(known, Mapping):
        return False
    try:
        stats = [file.stat() for file in files]
        if known.get("bytes") != [stat.st_size for stat in stats]:
            return False

        # Only files that were touched since have to be read.
        if known.get("modified") == [stat.st_mtime_ns for stat in stats]:
            return True
        return known.get("sha256") == [sha256(file) for file in files]
    except OSError:
        return False


def digest(values: Any) -> str:
    """The sha256 of nested plain values, which does not depend on the order of a mapping."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def sha256(file: Path) -> str:
    """The sha256 of a file's content, read a megabyte at a time."""
    content = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(2**20):
            content.update(block)
    return content.hexdigest()


def remembered_sha256(file: Path) -> str:
    """The sha256 of a file; of a large one, what it was when the file had this size and time."""
    stat = file.stat()
    if stat.st_size <= LARGE:
        return sha256(file)
    known = memory().get(str(file.resolve()))
    if isinstance(known, list) and known[:2] == [stat.st_size, stat.st_mtime_ns]:
        return str(known[2])
    content = sha256(file)
    remember(file, content)
    return content


def remember(file: Path, content: str) -> None:
    """Note the sha256 of a file for `remembered_sha256`; where that is impossible, go without."""
    stat, place = file.stat(), cache_folder() / HASHES
    noted = {**memory(), str(file.resolve()): [stat.st_size, stat.st_mtime_ns, content]}
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic(place) as temporary:
            temporary.write_text(json.dumps(noted, indent=1))


def memory() -> dict[str, Any]:
    """What is noted: a file's path -> its size, time and sha256."""
    try:
        noted = json.loads((cache_folder() / HASHES).read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def strings(values: Any) -> Iterator[str]:
    """Every string among nested values."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from strings(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from strings(value)
