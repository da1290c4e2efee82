"""A photo of a run, and what became of it."""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from gdp.picture import Photo, namesake, plain_name, read
from gdp.picture.datasets import squared
from gdp.restore.data import read_any, refuse_misfit
from gdp.restore.setup import Setup

DONE, FINISHED, FAILED, LEFT = "done", "finished before", "failed", "not begun"  # states of a photo
HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # no other photo could be saved either


class Item(NamedTuple):
    """A photo of a run.

    `name` is that of its results in the output folder, or below it where it has a sub-folder.
    """

    name: str
    files: tuple[Path, ...]  # the exposures of a scene; mostly one
    read: Callable[[], Photo]
    init: str | Path | None = None  # a picture to start from, or a folder of such
    reference: str | Path | None = None  # the truth, or a folder of such
    masks: Path | None = None  # a folder of masks

    @property
    def file(self) -> Path:
        """The first file, by which the photo is known."""
        return self.files[0]

    @property
    def title(self) -> str:
        """What messages call it: its file's name, as far as a terminal can print that."""
        return plain_name(self.file.name)

    @property
    def sources(self) -> list[Path]:
        """All files that the result depends on, as far as they are there."""
        others = []
        for path in (self.init, self.reference, self.masks):
            try:
                others += [] if path is None else [namesake(path, self.file)]
            except FileNotFoundError:
                continue
        return [*self.files, *(file for file in others if file.is_file())]

    def beside(self, path: str | Path | None) -> Tensor | None:
        """The pixels [1, 3, H, W] in [0, 1] of a picture that goes with the photo, if any.

        Raises:
            OSError, ValueError: there is none of its name, or it cannot be read.
        """
        return None if path is None else read(namesake(path, self.file)).pixels


class Outcome(NamedTuple):
    """What became of a photo."""

    name: str
    state: str  # DONE, FINISHED, FAILED or LEFT
    seconds: float = 0.0
    where: Path | None = None  # the result
    error: str = ""
    url: str = ""  # of the result, where it lies in some storage


def failures(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Of the photos that have no result, why, by their names."""
    bad = (one for one in outcomes if one.state in (FAILED, LEFT))
    return {one.name: one.error or one.state for one in bad}


def read_fitting(
    setup: Setup, file: Path, page: int | None = None, side: int | None = None
) -> Photo:
    """Read a photo or a measurement; the photo's middle square of `side` pixels, if that is given.

    Raises:
        OSError, ValueError: it cannot be read, or is not what the operator makes of pictures.
    """
    photo = read_any(file, setup.operator, page)
    if side is not None:
        photo = squared(photo, side)
    refuse_misfit(photo, setup.operator, setup.config["degrade"])
    return photo
