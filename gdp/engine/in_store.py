"""Results in a folder of some storage.

A storage knows no renaming of several files at once. There a note, .gdp/begun/KEY.json, says which
files of a photo are about to come; NAME.json, the last of them, says that all are there. Who finds
the note without the report may replace these files.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gdp.engine.entries import Entry
from gdp.engine.output import OnDisk, Output, key_of
from gdp.folder.items import Item
from gdp.folder.saving import suffixes
from gdp.picture import suffix_for
from gdp.remote.store import Store
from gdp.remote.urls import is_url, joined
from gdp.restore.setup import Setup
from gdp.storage.fingerprint import of_photo
from gdp.storage.manifest import Manifest, parse_manifest
from gdp.storage.places import expand
from gdp.storage.workspace import NAME as NOTES

BEGUN = "begun"  # the folder of the notes
SKEW = 5 * 10**9  # nanoseconds by which a storage's clock may be behind


class InStore(Output):
    """A folder of some storage.

    Args:
        url: of the folder.
        overwrite: whether results may replace files.
    """

    def __init__(self, url: str, overwrite: bool):
        self.store, self.overwrite = Store(url), overwrite
        self.plan = f"{NOTES}/manifest.json"

    def where(self, name: str) -> str:
        return joined(self.store.url, name)

    def is_empty(self) -> bool:
        try:
            return next(self.store.files(recursive=False), None) is None and not self.folders()
        except FileNotFoundError:
            return True

    def folders(self) -> bool:
        """Whether there are folders: results of photos in folders, or notes of what was begun."""
        listed = self.store.system.ls(self.store.root, detail=True)
        return any(one["type"] == "directory" for one in listed)

    def finished(
        self, entry: Entry, item: Item, setup: Setup, settings: str, began: int | None
    ) -> str | None:
        report = content(self.store.read(f"{entry.name}.json"))
        if report is not None and self.is_same(report, entry, item, settings, began):
            return self.where(entry.name + suffix_of(item.file, setup))

        if self.overwrite or self.store.read(self.note(entry.name)) is not None:
            return None
        for suffix in suffixes(setup, item.file):
            if self.store.look(f"{entry.name}{suffix}") is not None:
                raise ValueError(
                    f"{self.where(entry.name + suffix)} exists, made otherwise or of another "
                    "photo; choose another output=, or allow overwrite=true"
                )
        return None

    def is_same(
        self,
        report: Mapping[str, Any],
        entry: Entry,
        item: Item,
        settings: str,
        began: int | None,
    ) -> bool:
        """Whether a report is of the same photo and settings, and, where others may be replaced, of
        this run.
        """
        try:
            known = report["fingerprint"]
            photo = known["input"]
            same = known["settings"] == settings
        except (KeyError, TypeError):
            return False

        # What was there before this run is to be replaced.
        if self.overwrite:
            made = self.store.look(f"{entry.name}.json")
            if began is None or made is None or made.modified < began - SKEW:
                return False

        if not entry.far:
            return same and photo == stamp_of(item)
        size, modified = photo["bytes"][:1], photo["modified"][:1]
        return same and (not entry.bytes or size == [entry.bytes]) and modified == [entry.modified]

    def note(self, name: str) -> str:
        """The note that a photo's files are about to come."""
        return f"{NOTES}/{BEGUN}/{key_of(name)}.json"

    def workbench(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="gdp-"))

    def publish(self, name: str, folder: Path, files: Sequence[str]) -> None:
        note = folder / f"{key_of(name)}.note"
        note.write_text(json.dumps(list(files)), encoding="utf-8")
        self.store.put(note, self.note(name))
        note.unlink()
        for file in files:
            self.store.put(folder / file, file)
            (folder / file).unlink()
        self.store.remove(self.note(name))

    def manifest(self) -> Manifest | None:
        return parse_manifest(self.store.read(self.plan) or b"")

    def keep_manifest(self, manifest: Manifest | None) -> None:
        if manifest is None:
            return self.store.remove(self.plan)
        with scratch() as folder:
            manifest.write(folder / "manifest.json")
            self.store.put(folder / "manifest.json", self.plan)
        return None


def output_of(where: str, overwrite: bool) -> Output:
    """The output of a path or URL."""
    return InStore(where, overwrite) if is_url(where) else OnDisk(expand(where), overwrite)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that vanishes."""
    folder = Path(tempfile.mkdtemp(prefix="gdp-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def content(text: bytes | None) -> dict[str, Any] | None:
    """A report's content; None where there is none, or it is something else."""
    try:
        found = json.loads(text or b"")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def suffix_of(file: Path, setup: Setup) -> str:
    """The suffix of a photo's result."""
    return suffix_for(file, setup.config["format"], setup.config["scene"])


def stamp_of(item: Item) -> dict[str, Any] | None:
    """The fingerprint of a photo on the disk."""
    try:
        return of_photo(item.sources)
    except OSError:
        return None
