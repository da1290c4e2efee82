"""Where the numbers of a run go besides its folder: a CSV of runs, TensorBoard, W&B, MLflow.

A run is a job of restorations, whose steps are its photos, or a training. Each tracker is one class
with three methods; a further one is a class more and a line in TRACKERS.
"""

import csv
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gdp.storage.files import atomic

PROJECT = "gdp"  # the project or experiment in which runs are kept
Numbers = Mapping[str, float]


class Tracker(ABC):
    """The record of one run.

    Args:
        name: of the run.
        settings: what it was asked for, by name.
        runs: a folder, for trackers that keep files.
        step: where the run goes on; 0 is its beginning.
        key: by which the tracker knows a run that goes on; empty for one that begins.

    Attributes:
        key: by which the tracker would know this run again, where it gives any.
    """

    package: str | None = None  # what has to be installed

    def __init__(
        self, name: str, settings: Mapping[str, Any], runs: Path, step: int = 0, key: str = ""
    ):
        self.name, self.settings, self.runs, self.key = name, dict(settings), runs, key
        self.begin(step)

    @abstractmethod
    def begin(self, step: int) -> None:
        """Open the record, or go on with it from a step."""

    @abstractmethod
    def log(self, step: int, numbers: Numbers) -> None:
        """Note the numbers of a step: of a job's photo, or of a training's step."""

    @abstractmethod
    def finish(self, numbers: Numbers, kind: str = "mean") -> None:
        """Note what the run came to, and close the record.

        Args:
            numbers: of the run as a whole.
            kind: what they are: the mean of all photos, or the last of a training.
        """


class Csv(Tracker):
    """RUNS/runs.csv: a line a run, with settings and numbers; new columns come at the right."""

    def begin(self, step: int) -> None:
        """Nothing: the line is written at the end."""

    def log(self, step: int, numbers: Numbers) -> None:
        """Nothing: what a run leaves in its folder holds it."""

    def finish(self, numbers: Numbers, kind: str = "mean") -> None:
        file = self.runs / "runs.csv"
        self.runs.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, Any]] = []
        if file.is_file():
            with file.open(newline="", encoding="utf-8") as stream:
                rows = list(csv.DictReader(stream))
        rows.append({"job": self.name, **self.settings, **numbers})

        names = list(dict.fromkeys(key for row in rows for key in row))
        with (
            atomic(file) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


class TensorBoard(Tracker):
    """Scalars by step, and the settings with the run's numbers as hyperparameters, in RUNS/NAME."""

    package = "tensorboard"

    def begin(self, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # What was written beyond the step is not shown any more.
        folder, beyond = str(self.runs / self.name), step + 1 if step else None
        self.writer: Any = SummaryWriter(folder, purge_step=beyond)

    def log(self, step: int, numbers: Numbers) -> None:
        for key, value in numbers.items():
            self.writer.add_scalar(key, value, step)

    def finish(self, numbers: Numbers, kind: str = "mean") -> None:
        self.writer.add_hparams(
            {key: str(value) for key, value in self.settings.items()},
            {f"{kind}/{key}": value for key, value in numbers.items()},
            run_name=".",
        )
        self.writer.close()


class Wandb(Tracker):
    """A run of Weights & Biases; WANDB_MODE=offline keeps it on this machine."""

    package = "wandb"

    def begin(self, step: int) -> None:
        import wandb

        known = {"id": self.key, "resume": "allow"} if self.key else {}
        self.run: Any = wandb.init(
            project=PROJECT, name=self.name, config=self.settings, reinit=True, **known
        )
        self.key = str(self.run.id)

    def log(self, step: int, numbers: Numbers) -> None:
        self.run.log(dict(numbers), step=step)

    def finish(self, numbers: Numbers, kind: str = "mean") -> None:
        self.run.summary.update({f"{kind}/{key}": value for key, value in numbers.items()})
        self.run.finish()


class MLflow(Tracker):
    """A run of MLflow, where MLFLOW_TRACKING_URI says."""

    package = "mlflow"

    def begin(self, step: int) -> None:
        import mlflow

        self.mlflow: Any = mlflow
        mlflow.set_experiment(PROJECT)
        if self.key:
            mlflow.start_run(run_id=self.key)
        else:
            self.key = str(mlflow.start_run(run_name=self.name).info.run_id)
            mlflow.log_params(self.settings)  # which never change within a run

    def log(self, step: int, numbers: Numbers) -> None:
        self.mlflow.log_metrics(dict(numbers), step=step)

    def finish(self, numbers: Numbers, kind: str = "mean") -> None:
        self.mlflow.log_metrics({f"{kind}_{key}": value for key, value in numbers.items()})
        self.mlflow.end_run()


TRACKERS: dict[str, type[Tracker]] = {
    "csv": Csv,
    "tensorboard": TensorBoard,
    "wandb": Wandb,
    "mlflow": MLflow,
}


def check(logger: str | None, setting: str = "logger=") -> None:
    """Refuse a tracker before anything is loaded.

    Args:
        logger: one of TRACKERS.
        setting: how it was asked for.

    Raises:
        ValueError: what it needs is not installed.
    """
    package = None if logger is None else TRACKERS[logger].package
    if package is not None and find_spec(package) is None:
        raise ValueError(
            f"{setting}{logger} needs the package {package}, which is not installed: "
            f"pip install {package}, or gdp-restore[{package}]; {setting}csv needs none"
        )


def track(
    logger: str, name: str, settings: Mapping[str, Any], runs: Path, rows: list[dict[str, Any]]
) -> None:
    """Record a job.

    Args:
        logger: one of TRACKERS.
        name: of the job.
        settings: what it was asked for, by name.
        runs: a folder for trackers that keep files.
        rows: of its photos, as gdp.report.summary.row_of gives them.
    """
    record = TRACKERS[logger](name, settings, runs)
    scored = [numbers(row) for row in rows if row.get("state") == "done"]
    for step, values in enumerate(scored):
        record.log(step, values)

    keys = dict.fromkeys(key for values in scored for key in values)
    means = {}
    for key in keys:
        found = [values[key] for values in scored if key in values]
        means[key] = sum(found) / len(found)
    record.finish({"photos": len(scored), **means})


def numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a photo's row, but for its settings."""
    settings = ("steps", "sigma_y", "seed")
    return {
        key: float(value)
        for key, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and key not in settings
    }
