"""What a run keeps in its output folder while it is on, so that it may be killed and go on.

It lies in FOLDER/.gdp:

    lock                     held by the run that writes to the folder; the system frees it when
                             that run ends, however it ends
    manifest.json            which photos go through the network together (manifest.py)
    checkpoint.safetensors   how far the restoration in hand is (snapshot.py)
    writing/                 the files of a result, until the last of them is whole
    whole/                   these, until they have moved to FOLDER
    writing-KEY/, whole-KEY/, work-KEY/   the same, and what else they write, of the processes of
                             engine=ray, of which each has its own

At the end all of it is gone.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gdp.storage import files
from gdp.storage.files import clear, files_below, is_other, sync
from gdp.storage.lock import take_lock

NAME = ".gdp"


class Workspace:
    """An output folder that this run has to itself, while it is in the `with` block.

    Args:
        folder: where results go; made if it is not there.
        overwrite: whether a result may replace files.

    Attributes:
        resumed: whether an earlier run left its notes: a manifest or a snapshot.
        keep: whether notes stay for the next run; at first, if they were there already.

    Raises:
        ValueError: another run has the folder.
        OSError: it cannot be written to.
    """

    def __init__(self, folder: Path, overwrite: bool = False):
        self.folder, self.overwrite = folder, overwrite
        self.notes = folder / NAME
        self.lock = self.notes / "lock"
        self.manifest = self.notes / "manifest.json"
        self.checkpoint = self.notes / "checkpoint.safetensors"
        self.writing, self.whole = self.notes / "writing", self.notes / "whole"
        self.keep = self.resumed = False
        self.new_folders: list[Path] = []
        self.handle = -1

    def __enter__(self) -> "Workspace":
        if self.notes.is_symlink():
            raise ValueError(
                f"{self.notes} is a link to another place; remove it, or choose another output="
            )

        self.check_place()
        folder = self.notes
        while not folder.exists():
            self.new_folders.append(folder)
            folder = folder.parent
        try:
            self.handle = take_lock(self.lock, self.folder)
        except BaseException:
            self.remove_new_folders()
            raise

        # What a killed run left: unfinished files go, a whole result is taken over.
        try:
            self.keep = self.resumed = self.manifest.exists() or self.checkpoint.exists()
            clear(self.notes)
            self.clear_writing()
            for whole in [self.whole, *self.notes.glob(f"{self.whole.name}-*")]:
                self.publish(whole)
        except BaseException:
            self.keep = True
            self.leave()
            raise
        return self

    def check_place(self) -> None:
        """Raise OSError where something that is no folder, or no file, stands in the way."""
        for folder in (self.folder, self.notes):
            if folder.is_symlink() and not folder.exists():
                raise OSError(
                    f"{folder} is a link that leads nowhere; remove it, or choose another output="
                )
            if is_other(folder, stat.S_ISDIR):
                raise OSError(f"{folder} is no folder; choose another output=")
        for file in (self.lock, self.manifest, self.checkpoint):
            if is_other(file, stat.S_ISREG):
                raise OSError(f"{file} is no ordinary file; remove it, or choose another output=")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Give the folder back, without what nobody needs any more."""
        self.clear_writing()
        if not self.keep:
            self.manifest.unlink(missing_ok=True)
            self.checkpoint.unlink(missing_ok=True)

        # The lock's name goes while the lock is held, so that it is no other run's. Windows keeps
        # the names of open files: there it goes afterwards, and only if no other run has it open.
        if files.WINDOWS:
            os.close(self.handle)
        with suppress(PermissionError):
            self.lock.unlink(missing_ok=True)

        try:
            self.notes.rmdir()
        except OSError:  # there are notes
            pass
        else:
            self.remove_new_folders()
        if not files.WINDOWS:
            os.close(self.handle)

    def clear_writing(self) -> None:
        """Remove what writers have left that will not go on."""
        for folder in (self.writing, *self.notes.glob("writing-*"), *self.notes.glob("work-*")):
            shutil.rmtree(folder, ignore_errors=True)

    def of_process(self, key: str) -> "Workspace":
        """The same folder for a process that puts the results of a photo there beside others.

        Args:
            key: of the photo; who tries it again finishes what was begun.
        """
        other = Workspace(self.folder, self.overwrite)
        other.whole = self.notes / f"{self.whole.name}-{key}"
        other.writing = self.notes / f"{self.writing.name}-{key}"
        return other

    def remove_new_folders(self) -> None:
        """Remove the folders that were made for this run, unless something has come into them."""
        for folder in self.new_folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                break

    @contextmanager
    def result(self) -> Iterator[Path]:
        """Write the files of one result.

        They come to FOLDER together when the block ends, and after an error none does.

        Returns:
            A context manager that gives a folder to write them to, in sub-folders or not.

        Raises:
            ValueError: one of them would replace a file that may not be replaced.
        """
        shutil.rmtree(self.writing, ignore_errors=True)
        self.writing.mkdir()
        try:
            yield self.writing

            self.check_free(self.writing)
            sync(self.writing)
            self.writing.rename(self.whole)
        except BaseException:
            shutil.rmtree(self.writing, ignore_errors=True)
            raise
        self.publish()

    def check_free(self, result: Path) -> None:
        """Raise ValueError where a file of a result would replace one that may not be replaced.

        Where it may, all of them are asked before the first is: they come together or not at all.
        """
        for name in files_below(result) if self.overwrite else ():
            place = self.folder / name
            if os.path.lexists(place) and not place.is_symlink() and not place.is_file():
                raise ValueError(f"{place} is no ordinary file, and is not replaced; move it away")
        if self.overwrite:
            return
        for name in files_below(result):
            if os.path.lexists(self.folder / name):
                raise ValueError(
                    f"{self.folder / name} has come to exist; move it away, or allow overwrite=true"
                )

    def publish(self, whole: Path | None = None) -> None:
        """Move a whole result to FOLDER; also one that a killed run had begun to move."""
        whole = whole or self.whole
        if not whole.is_dir():
            return
        self.check_free(whole)
        names = files_below(whole)
        folders = {(self.folder / name).parent for name in names}

        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        # The report comes last: a photo that has one is finished.
        for name in sorted(names, key=lambda name: name.suffix == ".json"):
            os.replace(whole / name, self.folder / name)
        for folder in folders:
            sync(folder)
        shutil.rmtree(whole)
