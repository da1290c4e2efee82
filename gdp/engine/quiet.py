"""A bar that shows nothing: of a worker, whose driver shows the progress of all."""

from collections.abc import Iterator
from contextlib import contextmanager

from gdp.folder.bar import Bar


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
