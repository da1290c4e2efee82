"""A photo of a run, and what became of it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gdp.picture.image import Photo, namesake, plain_name

DONE, FINISHED, FAILED, LEFT = "done", "finished before", "failed", "not begun"  # states of a photo


class Item(NamedTuple):
    """A photo of a run."""

    name: str  # of its results, in the output folder or, with a sub-folder before it, below it
    files: tuple[Path, ...]  # the exposures of a scene; mostly one
    read: Callable[[], Photo]
    init: str | Path | None = None  # a picture to start from, or a folder of such

    @property
    def file(self) -> Path:
        """The first, by which it is called."""
        return self.files[0]

    @property
    def called(self) -> str:
        """What messages call it: its file's name, as far as a terminal can print that."""
        return plain_name(self.file.name)

    @property
    def sources(self) -> list[Path]:
        """All files that the result depends on, as far as they are there."""
        try:
            first = [] if self.init is None else [namesake(self.init, self.file)]
        except FileNotFoundError:
            first = []
        return [*self.files, *(file for file in first if file.is_file())]


class Entry(NamedTuple):
    """What became of a photo."""

    name: str
    state: str
    seconds: float = 0.0
    where: Path | None = None
    error: str = ""
