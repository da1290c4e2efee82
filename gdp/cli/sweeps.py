"""The jobs of a sweep, wherever Hydra's launcher has run them: scores, pages, notes.

The basic launcher runs jobs in this process, one after another; others (joblib, submitit) in
processes of their own, on other machines too. From there a job is told of by a note in the output
folder, which all of them share.
"""

import json
import os
import shutil
import time
from functools import partial
from math import nan
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf

from gdp.cli.messages import write_page
from gdp.cli.words import Line
from gdp.storage.files import atomic
from gdp.storage.places import expand

FOLDER = ".jobs"  # of the notes, in the output folder
KNOWN = ("output", "report", "overwrite", "recursive", "verbose", "metric")  # settings in a note
LAUNCHER, OUTPUT = "hydra/launcher=", "output="


class Job(NamedTuple):
    """A job that has come to its end."""

    cfg: DictConfig
    words: list[str]  # what sets it apart from the defaults
    folder: Path | None  # None where there is no such folder
    failed: dict[str, str]  # errors by the names of photos; by "" where the job was refused
    code: int


class Notes:
    """What jobs in other processes leave for the one that started them.

    Args:
        line: the command line.

    Attributes:
        words: the line's, with an output= where jobs of several processes would each choose one.
    """

    def __init__(self, line: Line):
        self.words, self.process = list(line.words), os.getpid()
        launched = line.sweep and any(word.startswith(LAUNCHER) for word in self.words)
        outputs = [word for word in self.words if word.startswith(OUTPUT)]
        if launched and not outputs:
            outputs = [f"{OUTPUT}outputs/{time.strftime('%Y-%m-%d_%H-%M-%S')}"]
            self.words += outputs
        self.folder: Path | None = None
        if launched:
            place = expand(outputs[-1].removeprefix(OUTPUT).strip("'")).absolute()
            self.folder = place / FOLDER

    @property
    def mine(self) -> bool:
        """Whether this is the process that was started."""
        return os.getpid() == self.process

    def leave(self, job: Job) -> None:
        """Tell of a job."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {
            "cfg": {name: job.cfg[name] for name in KNOWN},
            "words": job.words,
            "folder": None if job.folder is None else str(job.folder),
            "failed": job.failed,
            "code": job.code,
        }
        name = f"{time.time_ns()}-{os.getpid()}.json"
        with atomic(self.folder / name) as temporary:
            temporary.write_text(json.dumps(values), encoding="utf-8")

    def take(self) -> list[Job]:
        """The jobs that were told of, in the order of their ends; their notes are gone then."""
        if self.folder is None or not self.folder.is_dir():
            return []
        jobs = []
        for file in sorted(self.folder.glob("*.json")):
            values = json.loads(file.read_text(encoding="utf-8"))
            folder = None if values["folder"] is None else Path(values["folder"])
            cfg = OmegaConf.create(values["cfg"])
            jobs.append(Job(cfg, values["words"], folder, values["failed"], values["code"]))
        shutil.rmtree(self.folder)
        return jobs


def score(job: Job) -> float | None:
    """What a sweeper is to improve: the mean of metric= over a job's photos.

    Returns:
        NaN for a job that was refused, or has no such score; None without metric=.
    """
    metric = job.cfg.get("metric")
    if metric is None:
        return None
    if job.folder is None or not job.folder.is_dir():
        return nan

    from gdp.report.summary import entries, row_of

    rows = [row_of(entry) for entry in entries(job.folder, recursive=bool(job.cfg.recursive))]
    found = [float(row[metric]) for row in rows if isinstance(row.get(metric), int | float)]
    return sum(found) / len(found) if found else nan


def write_sweep_pages(jobs: list[Job]) -> None:
    """Write the pages of a sweep as a whole, if it has left a folder to write them to."""
    shown = [(job, job.folder) for job in jobs if job.cfg.report and job.folder is not None]
    if not shown:
        return
    cfg = shown[0][0].cfg
    root = expand(cfg.output)
    if not root.is_dir():
        return

    from gdp.report import sweep

    points = [
        sweep.Job(
            dict(word.partition("=")[::2] for word in job.words),
            folder,
            job.failed.pop("", ""),
            job.failed,
        )
        for job, folder in shown
    ]
    write_page(partial(sweep.write_sweep, root, points, cfg.overwrite, cfg.recursive), cfg.verbose)
