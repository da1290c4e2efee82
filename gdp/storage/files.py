"""Files that are written whole or not at all."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

# An unfinished file is called .NAME.RANDOM.part; only a kill leaves one behind.
UNFINISHED = ".part"

WINDOWS = os.name == "nt"

# A process can read its umask only by setting it; once, since other threads write files too.
UMASK = os.umask(0)
os.umask(UMASK)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Write a file so that a kill or a power cut leaves the old one or the new one, nothing else.

    What is written to the temporary file goes to the disk before the file takes its name; after an
    error it vanishes, and `path` is as it was.

        with atomic(path) as temporary:
            temporary.write_text(text)

    Args:
        path: the file to write, in a folder that exists.

    Returns:
        A context manager that gives the temporary file, which lies in the folder of `path`.

    Raises:
        OSError: the disk is full, or the folder may not be written to.
    """
    handle, name = tempfile.mkstemp(
        prefix=f".{path.name[:64]}.", suffix=UNFINISHED, dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary

        # On the disk first: else a power cut could leave the name without the content.
        with temporary.open("r+b") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~UMASK)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def clear(folder: Path, names: Iterable[str] | None = None) -> None:
    """Remove what killed writers left in a folder that nobody else writes to.

    Args:
        folder: where to look; folders in it are left alone.
        names: only unfinished files whose names begin with one of these; None for all.
    """
    begins = None if names is None else tuple(f".{name[:64]}" for name in names)
    for file in folder.glob(f".*{UNFINISHED}"):
        if begins is None or file.name.startswith(begins):
            file.unlink()


def is_other(path: Path, expected: Callable[[int], bool]) -> bool:
    """Whether something else than is expected stands there, by one look at its mode.

    What another run removes between two looks would be there, and be nothing.
    """
    try:
        return not expected(path.stat().st_mode)
    except FileNotFoundError:
        return path.is_symlink()  # that leads nowhere
    except NotADirectoryError:
        return False
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return True


def sync(folder: Path) -> None:
    """Have the names in a folder on the disk; Windows opens no folders, and writes names itself."""
    if WINDOWS:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def files_below(folder: Path) -> list[Path]:
    """The files in a folder and its sub-folders, relative to it."""
    return sorted(file.relative_to(folder) for file in folder.rglob("*") if not file.is_dir())
