"""Where results go: a folder on a disk, or of some storage. All files of a photo, or none."""

import hashlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from gdp.engine.entries import Entry
from gdp.folder.finished import finished, refuse_to_replace
from gdp.folder.items import Item
from gdp.picture import path_inside
from gdp.restore.setup import Setup
from gdp.storage.manifest import Manifest, read_manifest
from gdp.storage.workspace import NAME as NOTES
from gdp.storage.workspace import Workspace


class Output(ABC):
    """Where the results of a run go."""

    @abstractmethod
    def where(self, name: str) -> str:
        """The path or URL of a file."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether nothing can be in the way, so that no photo has to be asked for."""

    @abstractmethod
    def finished(
        self, entry: Entry, item: Item, setup: Setup, settings: str, began: int | None
    ) -> str | None:
        """The result of the same photo with the same settings; None where there is none.

        Args:
            entry, item: the photo; its file need not be there, if it is a copy.
            setup, settings: what restores it, and the fingerprint of that.
            began: when the run began, in nanoseconds since 1970; with overwrite=true only what was
                made since counts, and nothing for None.

        Raises:
            ValueError: there is another file in the way.
        """

    @abstractmethod
    def workbench(self) -> Path:
        """A new folder for a worker's files."""

    @abstractmethod
    def publish(self, name: str, folder: Path, files: Sequence[str]) -> None:
        """Have all files of a photo where they belong, or none.

        Args:
            name: of the photo.
            folder: where they lie now, on the disk.
            files: their names below it, the report's last.

        Raises:
            ValueError: one would replace a file that may not be replaced.
            OSError: one cannot be written.
        """

    @abstractmethod
    def manifest(self) -> Manifest | None:
        """The plan that an interrupted run has left."""

    @abstractmethod
    def keep_manifest(self, manifest: Manifest | None) -> None:
        """Keep a plan; None: none is needed any more."""


class OnDisk(Output):
    """A folder on a disk that all workers see.

    Args:
        folder: the folder.
        overwrite: whether results may replace files.
    """

    def __init__(self, folder: Path, overwrite: bool):
        self.folder, self.overwrite = folder, overwrite
        self.space = Workspace(folder, overwrite)

    def where(self, name: str) -> str:
        return str(self.folder / name)

    def is_empty(self) -> bool:
        there = set(os.listdir(self.folder)) if self.folder.is_dir() else set()
        return not there - {NOTES}

    def finished(
        self, entry: Entry, item: Item, setup: Setup, settings: str, began: int | None
    ) -> str | None:
        path_inside(self.folder, entry.name)
        self.space.of_process(key_of(entry.name)).publish()
        found = finished(item, self.folder, setup, settings, began)
        if found is None:
            refuse_to_replace(item, self.folder, setup)
        return None if found is None else str(found)

    def workbench(self) -> Path:
        self.space.notes.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="work-", dir=self.space.notes))

    def publish(self, name: str, folder: Path, files: Sequence[str]) -> None:
        with self.space.of_process(key_of(name)).result() as writing:
            for file in files:
                (writing / file).parent.mkdir(parents=True, exist_ok=True)
                os.replace(folder / file, writing / file)

    def manifest(self) -> Manifest | None:
        return read_manifest(self.space.manifest)

    def keep_manifest(self, manifest: Manifest | None) -> None:
        if manifest is not None:
            manifest.write(self.space.manifest)


def key_of(name: str) -> str:
    """A photo's name as a file's name of one length."""
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
