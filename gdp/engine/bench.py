"""A worker's own folder, in which the local runner works; it is gone with the worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gdp.storage.workspace import Workspace


class Bench(Workspace):
    """A folder without what a folder of results has: no lock, no second place, no way back.

    Args:
        folder: where files go; nothing is in it.
    """

    def __init__(self, folder: Path):
        super().__init__(folder, overwrite=True)

    def __enter__(self) -> "Bench":
        self.notes.mkdir(parents=True)
        return self

    def leave(self) -> None:
        """Nothing is to be given back."""

    @contextmanager
    def result(self) -> Iterator[Path]:
        """Write the files of one result, where they are to be handed over from."""
        yield self.folder
