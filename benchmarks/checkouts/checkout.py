"""What is known of another project's checkout: how it is recognised, fed and read."""

import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from torch import Tensor

from gdp.picture import picture_of, read

SHIM = Path(__file__).with_name("shim.py")
SIDE = 256  # both projects' scripts take no other
TAIL = 12  # lines of what a script said, where it fails


class Job(NamedTuple):
    """One task on some photos.

    Attributes:
        task: words of ours, such as sr4 or denoise:sigma_y=0.1.
        photos: clean photos [1, 3, 256, 256] in [0, 1].
        small: A^+ y of each, in [0, 1], where a project is given that.
        steps: of its sampler.
        prior: the name of the network.
        work: a folder for the files between.
    """

    task: str
    photos: Sequence[Tensor]
    small: Sequence[Tensor]
    steps: int
    prior: str
    work: Path


class Checkout(ABC):
    """A project whose scripts can be run.

    Args:
        folder: its files.
    """

    name: ClassVar[str]
    marks: ClassVar[tuple[str, ...]]  # files that only it has

    def __init__(self, folder: Path):
        self.folder = folder.resolve()

    @classmethod
    def is_at(cls, folder: Path) -> bool:
        """Whether a folder holds it."""
        return all((folder / mark).is_file() for mark in cls.marks)

    @abstractmethod
    def can(self, task: str) -> bool:
        """Whether it has a script for a task."""

    @abstractmethod
    def restore(self, job: Job) -> list[Tensor]:
        """What its script makes of the photos, in their order: [1, 3, 256, 256] in [0, 1]."""

    def run(self, job: Job, folder: Path, script: str, models: str, words: Sequence[str]) -> None:
        """Run a script of it.

        Raises:
            OSError: it failed; the last lines that it said are part of the message.
        """
        shim = [sys.executable, str(SHIM), "--folder", str(folder), "--script", script]
        shim += ["--models", models, "--prior", job.prior, "--calls", str(job.work / "calls")]
        done = subprocess.run(
            [*shim, "--", *words], capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode or not (job.work / "calls").is_file():
            said = (done.stdout + done.stderr).strip().splitlines()[-TAIL:]
            raise OSError(f"{self.name}'s {script} failed; it said\n" + "\n".join(said))

    def calls(self, job: Job) -> int:
        """How many network calls a photo took."""
        return int((job.work / "calls").read_text()) // len(job.photos)


def write(pictures: Sequence[Tensor], folder: Path) -> list[Path]:
    """Write pictures as 000.png, 001.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{i:03}.png" for i in range(len(pictures))]
    for picture, file in zip(pictures, files, strict=True):
        picture_of(picture).save(file)
    return files


def found(file: Path) -> Tensor:
    """A picture that a script wrote.

    Raises:
        OSError: it wrote none.
    """
    if not file.is_file():
        raise OSError(f"the script wrote no {file.name}; what it said is above")
    return read(file).pixels
