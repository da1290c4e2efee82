"""Large files from the web, in pieces that a broken connection does not lose.

What has arrived lies in FOLDER/NAME.part; the next try asks for the rest (HTTP's Range), and the
file takes its name once it is whole and its sha256 is the one that is known.
"""

import http.client
import logging
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from gdp.storage.fingerprint import remember, sha256

BLOCK = 2**20  # bytes read at a time
TRIES = 3  # connections in a row that bring no byte
PAUSE = 1.0  # seconds before the second try; doubled for each further one
TIMEOUT = 30  # seconds of silence after which a connection counts as broken
log = logging.getLogger("gdp")


class WrongContentError(ValueError):
    """A file arrived whole, but it is not the one that was expected."""


def download(url: str, file: Path, known: str | None = None) -> Path:
    """Get a file, going on from what an earlier try has left.

    Another process that wants the same file waits for this one.

    Args:
        url: http(s).
        file: where it is to be; its folder is made.
        known: the sha256 it must have, if that is known.

    Raises:
        OSError: it cannot be had, or there is no room; what has arrived stays for the next try.
        WrongContentError: its sha256 is another; nothing stays.
    """
    from filelock import FileLock

    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    with FileLock(file.with_name(f".{file.name}.lock")):
        if file.is_file():  # another process has fetched it meanwhile
            return file
        fetch(url, part)

        digest = sha256(part)
        if known is not None and digest != known.lower():
            part.unlink()
            raise WrongContentError(f"{url} has sha256 {digest[:12]}..., not {known[:12]}...")
        os.replace(part, file)
        remember(file, digest)
    return file


def fetch(url: str, part: Path) -> None:
    """Have all of a file in `part`, over as many connections as it takes."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            if transfer(url, part, before):
                return
            reason: Exception = OSError("the connection ended early")
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # nothing is left to send, or another file lies there
                part.unlink()
            elif error.code < 500:
                raise
            reason = error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, NoRoomError):
                raise
            reason = error

        # Only tries that bring nothing count.
        grown = part.exists() and part.stat().st_size > before
        failures = 0 if grown else failures + 1
        if failures >= TRIES:
            raise OSError(f"{url}: {reason}")
        log.info("%s; going on", reason)
        time.sleep(0 if grown else PAUSE * 2 ** (failures - 1))


class NoRoomError(OSError):
    """The disk has no room for the file."""


def transfer(url: str, part: Path, have: int) -> bool:
    """Append what is missing of a file, over one connection; whether it is whole then."""
    request = urllib.request.Request(url, headers={"User-Agent": "gdp"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        # A server that knows no ranges sends all of it again.
        if answer.status != 206:
            have = 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        free = shutil.disk_usage(part.parent).free
        if total is not None and total - have > free:
            raise NoRoomError(
                f"{total - have} bytes are to come, and {free} are free in {part.parent}"
            )

        with (
            part.open("ab" if have else "wb") as stream,
            tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem) as bar,
        ):
            while block := answer.read(BLOCK):
                stream.write(block)
                bar.update(len(block))
    return total is None or part.stat().st_size >= total
