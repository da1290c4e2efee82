"""What the local runner works with in a worker: a folder of its own, a bar that is not shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gdp.folder.bar import Bar
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


class Quiet(Bar):
    """Takes what a run tells of its progress."""

    @contextmanager
    def running(self, before: int = 0) -> Iterator["Bar"]:
        """Within the block nothing is shown."""
        yield self

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Nothing is in the way."""
        yield

    def show(self, at: float) -> None:
        """Note how far it is."""
        self.at = at
