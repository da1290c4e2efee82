"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part"  # what is unfinished is called .NAME.RANDOM.part; only a kill leaves one behind
UMASK = os.umask(
    0
)  # the process's own, which can only be read by setting it; once, as other threads write files too
os.umask(UMASK)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """`with atomic(path) as temporary`: what is written to `temporary` becomes `path` at the end, or vanishes on an error.

    It is on the disk before it takes the name, so a power cut leaves the old file or the new one. OSError where the disk is full.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", suffix=PART, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("r+b") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~UMASK)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def clear(folder: Path, names: Iterable[str] | None = None) -> None:
    """Remove what killed writers left in a folder that nobody else writes to: all, or that of files whose names begin with one of these."""
    begun = None if names is None else tuple(f".{name[:64]}" for name in names)
    for part in folder.glob(f".*{PART}"):
        if begun is None or part.name.startswith(begun):
            part.unlink()
