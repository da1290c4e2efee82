"""Copies of what settings name in some storage: masks, pictures to start from, weights.

They lie in the cache folder, in remote/DIGEST OF THE URL/NAME, and are fetched anew where size or
time differ. A folder of pictures is not copied: of it comes what goes with a photo.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from gdp.remote.store import Store
from gdp.remote.urls import is_url, name_of
from gdp.storage.places import COPIES, cache_folder

BESIDE_WEIGHTS = ("config.yaml",)  # what a file of weights needs beside it
KEPT = ("input", "output", "data", "runs")  # settings that are no files to copy


class Copies:
    """The copies of one process.

    Attributes:
        folders: URL -> the folder that stands for it here, of folders of pictures.
    """

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}
        self.listed: dict[str, dict[str, tuple[str, int]]] = {}

    def localised(self, value: Any, name: str = "") -> Any:
        """Nested settings in which paths on the disk stand for URLs.

        Raises:
            OSError, ValueError: one cannot be fetched.
        """
        if isinstance(value, Mapping):
            return {
                key: inner if key in KEPT and not name else self.localised(inner, str(key))
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self.localised(inner, name) for inner in value]
        return str(self.copy(value)) if is_url(value) else value

    def copy(self, url: str) -> Path:
        """The copy of a file; of a folder an empty one, for `fetch_beside` to fill."""
        from filelock import FileLock

        place = cache_folder() / COPIES / hashlib.sha256(url.encode()).hexdigest()[:16]
        place.mkdir(parents=True, exist_ok=True)
        file, store = place / name_of(url), Store(url)
        found = store.look()
        if found is None:
            if not store.is_folder():
                raise FileNotFoundError(f"no such file: {url}")
            file.mkdir(exist_ok=True)
            self.folders[url] = file
            return file

        with FileLock(place / ".lock"):
            known = file.stat() if file.is_file() else None
            if known is None or (known.st_size, known.st_mtime_ns) != found[2:]:
                store.get("", file, found.modified)
                beside = Store(url.rpartition("/")[0])
                for name in BESIDE_WEIGHTS:
                    if beside.look(name) is not None:
                        beside.get(name, place / name)
        return file

    def fetch_beside(self, photo: str) -> None:
        """Have the pictures of all folders that go with a photo, by its stem.

        Raises:
            OSError: one is there and cannot be fetched.
        """
        stem = PurePosixPath(photo).stem
        for url, folder in self.folders.items():
            if url not in self.listed:
                self.listed[url] = {
                    PurePosixPath(one.name).stem: (one.name, one.modified)
                    for one in Store(url).files()
                }
            name, modified = self.listed[url].get(stem, ("", 0))
            file = folder / name
            if name and not (file.is_file() and file.stat().st_mtime_ns == modified):
                Store(url).get(name, file, modified)
