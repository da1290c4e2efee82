"""What a run keeps in its output folder while it is on, in FOLDER/.gdp, so that it may be killed at any moment and go on.

    lock                     held by the run that writes to the folder; the system frees it when that run ends, however it ends
    manifest.json            which photos go through the network together (gdp/storage/manifest.py)
    checkpoint.safetensors   how far the restoration in hand is (gdp/storage/snapshot.py)
    writing/                 the files of a result, until the last of them is whole
    whole/                   these, until they have moved to FOLDER

At the end all of it is gone.
"""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gdp.storage.files import clear

NAME = ".gdp"
OURS = ("manifest.json", "checkpoint.safetensors")
log = logging.getLogger("gdp")


class Workspace:
    """Enter it to have FOLDER to oneself. ValueError where another run has it; OSError where it cannot be written to.

    `resumed` says whether an earlier run left its notes. Notes stay for the next run where `keep` is set, as it is at first if they were
    there already.
    """

    def __init__(self, folder: Path, overwrite: bool = False):
        self.folder, self.overwrite = folder, overwrite
        self.notes = folder / NAME
        self.manifest, self.checkpoint = (self.notes / name for name in OURS)
        self.writing, self.whole = self.notes / "writing", self.notes / "whole"
        self.keep = self.resumed = False
        self.made: list[Path] = []
        self.handle = -1

    def __enter__(self) -> "Workspace":
        if self.notes.is_symlink():
            raise ValueError(
                f"{self.notes} is a link to another place; remove it, or choose another output="
            )
        folder = self.notes
        while not folder.exists():
            self.made.append(folder)
            folder = folder.parent
        try:
            self.handle = locked(self.notes / "lock", self.folder)
        except BaseException:
            self.tidy()
            raise
        try:
            self.keep = self.resumed = self.manifest.exists() or self.checkpoint.exists()
            clear(self.notes)
            shutil.rmtree(self.writing, ignore_errors=True)
            self.land()
        except BaseException:
            self.keep = True
            self.leave()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Give the folder back; what nobody needs any more is removed, and so are folders that were made for nothing."""
        shutil.rmtree(self.writing, ignore_errors=True)
        if not self.keep:
            for file in (self.manifest, self.checkpoint):
                file.unlink(missing_ok=True)
        (self.notes / "lock").unlink(missing_ok=True)
        try:
            self.notes.rmdir()
        except OSError:  # there are notes
            pass
        else:
            self.tidy()
        os.close(self.handle)

    def tidy(self) -> None:
        """Remove folders that were made for nothing."""
        for folder in self.made:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                break

    @contextmanager
    def result(self) -> Iterator[Path]:
        """A folder for the files of one result, in sub-folders or not. They come to FOLDER together, when all are whole; after an error
        none does.

        ValueError where one would replace a file.
        """
        shutil.rmtree(self.writing, ignore_errors=True)
        self.writing.mkdir()
        try:
            yield self.writing
            self.refuse(self.writing)
            sync(self.writing)
            self.writing.rename(self.whole)
        except BaseException:
            shutil.rmtree(self.writing, ignore_errors=True)
            raise
        self.land()

    def refuse(self, made: Path) -> None:
        """ValueError where a file that was made would replace one that may not be replaced."""
        for name in inside(made):
            if not self.overwrite and os.path.lexists(self.folder / name):
                raise ValueError(
                    f"{self.folder / name} has come to exist; move it away, or allow overwrite=true"
                )

    def land(self) -> None:
        """Move a whole result to FOLDER, the report last; also one that a killed run had begun to move."""
        if self.whole.is_dir():
            self.refuse(self.whole)
            names = inside(self.whole)
            for folder in {(self.folder / name).parent for name in names}:
                folder.mkdir(parents=True, exist_ok=True)
            for name in sorted(names, key=lambda name: name.suffix == ".json"):
                os.replace(self.whole / name, self.folder / name)
            for folder in {(self.folder / name).parent for name in names}:
                sync(folder)
            shutil.rmtree(self.whole)


def inside(folder: Path) -> list[Path]:
    """The files in a folder and below it, relative to it."""
    return sorted(file.relative_to(folder) for file in folder.rglob("*") if not file.is_dir())


def locked(file: Path, folder: Path) -> int:
    """A handle of `file`, locked until it is closed or the process ends. ValueError where another process holds it."""
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # its holder has just left, and the folder with it
            continue
        except FileExistsError:
            if file.parent.exists() and not file.parent.is_dir():
                raise
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise ValueError(
                f"another run is writing to {folder}; wait until it has ended, or choose another output="
            ) from None
        except OSError as error:
            log.warning(
                "%s cannot be locked (%s); see to it that no other run writes there",
                folder,
                error.strerror,
            )
        try:
            if os.path.samestat(os.fstat(handle), file.stat()):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)


def sync(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
