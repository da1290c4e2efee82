"""A folder of some storage: listed in pages, read in streams, written whole or not at all.

A PUT or a multipart upload of an object store is whole once it is there; elsewhere a file is
written under a temporary name and renamed. An unfinished one is called .NAME.RANDOM.part, and only
a kill leaves it behind.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from gdp.remote.urls import open_url, protocol_of, told
from gdp.storage.files import UNFINISHED, atomic

# Storage in which an object is there as a whole, or is not.
WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory", "hf")
TIMES = ("LastModified", "mtime", "modified", "last_modified", "updated", "created", "timeModified")
BLOCK = 2**20  # bytes read at a time
HEAD = 2**16  # bytes read at a time where only a picture's header is wanted


class Stored(NamedTuple):
    """A file of a storage.

    Attributes:
        name: relative to its folder.
        url: the whole of it.
        bytes: its size.
        modified: nanoseconds since 1970; 0 where the storage does not tell.
    """

    name: str
    url: str
    bytes: int
    modified: int


class Store:
    """A folder.

    Args:
        url: of the folder, or of a single file's.

    Raises:
        ValueError: no such storage is known, or what it needs is not installed.
    """

    def __init__(self, url: str):
        self.url = url.rstrip("/")
        self.system, path = open_url(url)
        self.root = path.rstrip("/")
        self.whole = protocol_of(url) in WHOLE

    def path(self, name: str) -> str:
        """Where the file system has a file of the folder; the folder itself for no name."""
        return f"{self.root}/{name}" if name else self.root

    def files(self, recursive: bool = False) -> Iterator[Stored]:
        """The files of the folder, folder by folder; hidden folders are passed over.

        Raises:
            FileNotFoundError: there is no such folder.
        """
        left = [""]
        while left:
            here = left.pop()
            with told(self.url):
                listed = self.system.ls(self.path(here), detail=True)
                self.system.invalidate_cache()  # a listing is not kept: it may be a million names
            below = []
            for facts in sorted(listed, key=lambda one: str(one["name"])):
                name = str(facts["name"]).rstrip("/").rpartition("/")[2]
                inner = f"{here}/{name}" if here else name
                if facts["type"] == "directory":
                    below += [inner] if not name.startswith(".") else []
                elif str(facts["name"]).strip("/") != self.path(here).strip("/"):
                    yield self.stored(inner, facts)
            left += below[::-1] if recursive else []

    def stored(self, name: str, facts: dict[str, Any]) -> Stored:
        """A file by what the storage says of it."""
        url = f"{self.url}/{name}" if name else self.url
        return Stored(name, url, int(facts.get("size") or 0), moment(facts))

    def look(self, name: str = "") -> Stored | None:
        """What is known of a file; None where there is none, or it is a folder."""
        try:
            with told(self.url):
                facts = self.system.info(self.path(name))
        except FileNotFoundError:
            return None
        return self.stored(name, facts) if facts["type"] == "file" else None

    def is_folder(self) -> bool:
        """Whether the URL is a folder's."""
        with told(self.url):
            return bool(self.system.isdir(self.root))

    def open(self, name: str = "", block: int = BLOCK) -> BinaryIO:
        """A file to read from, from any place in it, a block at a time."""
        with told(f"{self.url}/{name}"):
            stream: BinaryIO = self.system.open(self.path(name), "rb", block_size=block)
        return stream

    def get(self, name: str, file: Path, modified: int = 0) -> None:
        """Copy a file to the disk, whole or not at all, with its time.

        Raises:
            OSError: it cannot be read, or the disk is full.
        """
        with (
            told(f"{self.url}/{name}".rstrip("/")),
            atomic(file) as temporary,
            temporary.open("wb") as here,
            self.open(name) as there,
        ):
            shutil.copyfileobj(there, here, BLOCK)
        if modified:
            os.utime(file, ns=(modified, modified))

    def put(self, file: Path, name: str) -> None:
        """Copy a file to the storage, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        path = self.path(name)
        with told(f"{self.url}/{name}"):
            if self.whole:
                self.system.put_file(str(file), path)
                return

            folder, _, last = path.rpartition("/")
            temporary = f"{folder}/.{last[:64]}.{uuid.uuid4().hex[:8]}{UNFINISHED}"
            self.system.makedirs(folder, exist_ok=True)
            try:
                self.system.put_file(str(file), temporary)
                if self.system.exists(path):  # some rename onto no file that is there
                    self.system.rm_file(path)
                self.system.mv(temporary, path)
            finally:
                if self.system.exists(temporary):
                    self.system.rm_file(temporary)

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none."""
        try:
            with told(f"{self.url}/{name}"):
                return bytes(self.system.cat_file(self.path(name)))
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        try:
            with told(f"{self.url}/{name}"):
                self.system.rm_file(self.path(name))
        except FileNotFoundError:
            return


def moment(facts: dict[str, Any]) -> int:
    """When a file was written, in nanoseconds since 1970; 0 where it is not told."""
    found = next((facts[key] for key in TIMES if facts.get(key) is not None), 0)
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found.replace("Z", "+00:00"))
        except ValueError:
            return 0
    seconds = found.timestamp() if isinstance(found, datetime) else found
    return int(float(seconds) * 1e6) * 1000  # whole microseconds: what a float holds
