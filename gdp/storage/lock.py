"""A lock on a folder that the system frees when its holder ends, however it ends."""

import logging
import os
from contextlib import suppress
from pathlib import Path

from filelock import lock_descriptor

log = logging.getLogger("gdp")


def take_lock(file: Path, folder: Path) -> int:
    """Lock a file, until its handle is closed or the process ends.

    Args:
        file: the lock's file; it is made if it is not there, with its folder.
        folder: what it guards, for messages.

    Returns:
        The file's handle; of a file that cannot be locked, such as on some network drives, too.

    Raises:
        ValueError: another run holds the lock.
    """
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
            free = lock_descriptor(handle, blocking=False)
        except OSError as error:
            free = True
            log.warning(
                "%s cannot be locked (%s); see to it that no other run writes there",
                folder,
                error.strerror,
            )
        if not free:
            os.close(handle)
            raise ValueError(
                f"another run is writing to {folder}; "
                "wait until it has ended, or choose another output="
            )

        # A holder removes the file as it leaves: a lock on a removed file guards nothing.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), file.stat()):
                return handle
        os.close(handle)
