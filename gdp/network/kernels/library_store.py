"""Where the compiled kernels are kept: in a folder that nobody else writes to, each with its hash.

NAME.so       the library
NAME.sha256   what it has to be, written first; without it, or with another one, the library
              is compiled anew
NAME.failed   when the compiler failed or hung, so that it is left alone for a day
"""

import hashlib
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from gdp.storage.files import atomic
from gdp.storage.places import cache_folder

DAY = 24 * 3600  # seconds after which a compiler that failed is tried again


def own_folder() -> Path:
    """The cache's folder, made if it is not there.

    Raises:
        OSError: it cannot be written to, or others can write to it.
    """
    folder = cache_folder()
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    check_own(folder)
    if not os.access(folder, os.W_OK):
        raise OSError(f"{folder} cannot be written to")
    return folder


def check_own(path: Path) -> None:
    """Raise OSError unless a file or folder is this user's or root's, and no one else's to write.

    A private group of this user's, as many systems have it, is no one else.
    """
    if not hasattr(os, "getuid"):
        return
    known = path.lstat()
    mode = stat.S_IMODE(known.st_mode)
    own_group = known.st_gid == os.getgid() == os.getuid()
    if known.st_uid not in (0, os.getuid()) or mode & 0o002 or (mode & 0o020 and not own_group):
        raise OSError(f"{path} belongs to others, or others may write to it")


def stored(folder: Path, name: str) -> Path | None:
    """The library, if it is there, this user's, and whole."""
    file, note = folder / f"{name}.so", folder / f"{name}.sha256"
    try:
        for path in (file, note):
            if not stat.S_ISREG(path.lstat().st_mode):
                return None
            check_own(path)
        same = hashlib.sha256(file.read_bytes()).hexdigest() == note.read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return file if same else None


def store(library: Path, folder: Path, name: str) -> Path:
    """Keep a library, and what it has to be; both are on the disk before they have their names."""
    content = library.read_bytes()
    with atomic(folder / f"{name}.sha256") as temporary:
        temporary.write_text(hashlib.sha256(content).hexdigest() + "\n", encoding="ascii")
    with atomic(folder / f"{name}.so") as temporary:
        temporary.write_bytes(content)
    for file in (folder / f"{name}.so", folder / f"{name}.sha256"):
        file.chmod(0o644)
    return folder / f"{name}.so"


def give_up(folder: Path, name: str) -> None:
    """Note that the compiler failed."""
    with suppress(OSError), atomic(folder / f"{name}.failed") as temporary:
        temporary.write_text("the compiler failed or hung\n", encoding="ascii")


def check_hope(folder: Path, name: str) -> None:
    """Raise OSError where the compiler has failed within a day."""
    try:
        failed = (folder / f"{name}.failed").stat().st_mtime
    except OSError:
        return
    if 0 <= time.time() - failed < DAY:
        raise OSError("the compiler has failed before")
