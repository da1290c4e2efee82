"""One bar for all of a run: which photo of how many, the time that all of it still takes.

    3 of 12, cat.png:  21%|██████                       | 5 min left

Where stderr is no terminal it is a line a minute, and one at the end.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

OFTEN = 0.3  # seconds between two looks at the bar
LINE_EVERY = 60.0  # seconds between two lines, where there is no terminal
LONGEST_NAME = 30  # signs of a photo's name
NEARLY = 0.99  # what is shown of a photo until its files are written
FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {unit}"  # `unit` holds the time that is left
log = logging.getLogger("gdp")


class Bar:
    """How far a run is, of which every photo counts as much.

    Args:
        photos: how many there are.
    """

    def __init__(self, photos: int):
        self.photos, self.over, self.failed, self.at = photos, 0, 0, 0.0
        self.title, self.together = "", 1
        self.skipped = 0.0  # what an earlier run has done, which took none of this one's time
        self.began = self.shown = self.told = monotonic()
        self.bar: tqdm | None = None  # where there is a terminal

    @contextmanager
    def running(self, before: int = 0) -> Iterator["Bar"]:
        """Show it within the block; what is logged meanwhile has lines of its own.

        Args:
            before: how many photos were finished in an earlier run.
        """
        self.over, self.at, self.skipped = before, float(before), float(before)
        self.began = self.told = monotonic()
        isatty = getattr(sys.stderr, "isatty", None)
        if isatty is None or not isatty():
            yield self
            return

        settings = {"bar_format": FORMAT, "unit": "", **terminal_size()}
        with (
            logging_redirect_tqdm([logging.getLogger()]),
            tqdm(total=self.photos, initial=before, file=sys.stderr, **settings) as self.bar,
        ):
            yield self

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Have it out of the way within the block, where something is printed."""
        with tqdm.external_write_mode(file=sys.stdout):
            yield

    def begin(self, name: str, together: int = 1) -> None:
        """A photo begins, or so many that share the network's calls."""
        self.together, name = together, name[:LONGEST_NAME]
        number = min(self.over + 1, self.photos)
        self.title = name if self.photos == 1 else f"{number} of {self.photos}, {name}"
        self.show(self.over)

    def move(self, share: float, skipped: bool = False) -> None:
        """Of the photos in hand this share is done.

        Args:
            share: in [0, 1].
            skipped: whether an earlier run did what is new of it.
        """
        at = max(self.at, self.over + min(share, NEARLY) * self.together)
        if skipped:
            self.skipped += at - self.at
        if skipped or monotonic() - self.shown > OFTEN:
            self.show(at)

    def end(self, together: int = 1, failed: bool = False) -> None:
        """So many photos have come to their end: saved, or failed."""
        self.failed += together if failed else 0
        self.over = min(self.over + together, self.photos)
        self.show(self.over)

    def show(self, at: float) -> None:
        """Stand at so many photos, parts of one included."""
        now = monotonic()
        self.at = max(self.at, at)
        done = self.over >= self.photos
        percent = int(100 * self.at / self.photos)  # 100 is at the end alone
        if self.bar is not None:
            self.bar.n, self.bar.unit = percent * self.photos / 100, self.rest(now)
            self.bar.set_description_str(self.title, refresh=False)
            self.bar.refresh()
        elif done or now - self.told >= LINE_EVERY:
            share = [] if self.failed == self.photos else [f"{percent} %"]
            log.info("%s: %s", self.title, ", ".join(filter(None, [*share, self.rest(now)])))
            self.told = now
        self.shown = now

    def rest(self, now: float) -> str:
        """The time that the rest takes, at the pace so far; at the end, what all of it took."""
        took = now - self.began
        if self.over >= self.photos:
            if self.failed == self.photos:
                return f"failed after {spoken(took)}"
            return f"done in {spoken(took)}" + (f", {self.failed} failed" if self.failed else "")
        worked = self.at - self.skipped
        return f"{spoken(took * (self.photos - self.at) / worked)} left" if worked > 0 else ""


def terminal_size() -> dict[str, Any]:
    """How wide tqdm draws; a terminal that does not tell its size is taken for one of 80x24."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError, AttributeError):
        known = False
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}


def spoken(seconds: float) -> str:
    """A time as people say it: 40 s, 5 min, 2 h 10 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
