"""Where the scores of a job go besides its folder: a CSV of jobs, TensorBoard, W&B, MLflow.

Each is one class with three methods; a further one is a class more and a line in TRACKERS.
"""

import csv
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gdp.storage.files import atomic

PROJECT = "gdp"  # the project or experiment in which jobs are kept
Numbers = Mapping[str, float]


class Tracker(ABC):
    """The record of one job.

    Args:
        name: of the job.
        settings: what it was asked for, by name.
        runs: a folder, for trackers that keep files.
    """

    package: str | None = None  # what has to be installed

    def __init__(self, name: str, settings: Mapping[str, Any], runs: Path):
        self.name, self.settings, self.runs = name, dict(settings), runs

    @abstractmethod
    def photo(self, step: int, name: str, numbers: Numbers) -> None:
        """Note the scores of a photo, the `step`-th of the job."""

    @abstractmethod
    def finish(self, means: Numbers) -> None:
        """Note the means over all photos, and close the record."""


class Csv(Tracker):
    """RUNS/runs.csv: a line a job, with settings and means; new columns come at the right."""

    def photo(self, step: int, name: str, numbers: Numbers) -> None:
        """Nothing: NAME.json and summary.csv hold it."""

    def finish(self, means: Numbers) -> None:
        file = self.runs / "runs.csv"
        self.runs.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, Any]] = []
        if file.is_file():
            with file.open(newline="", encoding="utf-8") as stream:
                rows = list(csv.DictReader(stream))
        rows.append({"job": self.name, **self.settings, **means})

        names = list(dict.fromkeys(key for row in rows for key in row))
        with (
            atomic(file) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


class TensorBoard(Tracker):
    """Scalars by photo, and the settings with the means as hyperparameters."""

    package = "tensorboard"

    def __init__(self, name: str, settings: Mapping[str, Any], runs: Path):
        super().__init__(name, settings, runs)
        from torch.utils.tensorboard import SummaryWriter

        self.writer: Any = SummaryWriter(str(runs / name))

    def photo(self, step: int, name: str, numbers: Numbers) -> None:
        for key, value in numbers.items():
            self.writer.add_scalar(key, value, step)

    def finish(self, means: Numbers) -> None:
        self.writer.add_hparams(
            {key: str(value) for key, value in self.settings.items()},
            {f"mean/{key}": value for key, value in means.items()},
            run_name=".",
        )
        self.writer.close()


class Wandb(Tracker):
    """A run of Weights & Biases; WANDB_MODE=offline keeps it on this machine."""

    package = "wandb"

    def __init__(self, name: str, settings: Mapping[str, Any], runs: Path):
        super().__init__(name, settings, runs)
        import wandb

        self.run: Any = wandb.init(project=PROJECT, name=name, config=self.settings, reinit=True)

    def photo(self, step: int, name: str, numbers: Numbers) -> None:
        self.run.log(dict(numbers), step=step)

    def finish(self, means: Numbers) -> None:
        self.run.summary.update({f"mean/{key}": value for key, value in means.items()})
        self.run.finish()


class MLflow(Tracker):
    """A run of MLflow, where MLFLOW_TRACKING_URI says."""

    package = "mlflow"

    def __init__(self, name: str, settings: Mapping[str, Any], runs: Path):
        super().__init__(name, settings, runs)
        import mlflow

        self.mlflow: Any = mlflow
        mlflow.set_experiment(PROJECT)
        mlflow.start_run(run_name=name)
        mlflow.log_params(self.settings)

    def photo(self, step: int, name: str, numbers: Numbers) -> None:
        self.mlflow.log_metrics(dict(numbers), step=step)

    def finish(self, means: Numbers) -> None:
        self.mlflow.log_metrics({f"mean_{key}": value for key, value in means.items()})
        self.mlflow.end_run()


TRACKERS: dict[str, type[Tracker]] = {
    "csv": Csv,
    "tensorboard": TensorBoard,
    "wandb": Wandb,
    "mlflow": MLflow,
}


def check(logger: str | None) -> None:
    """Raise ValueError where what a tracker needs is not installed: before anything is loaded."""
    package = None if logger is None else TRACKERS[logger].package
    if package is not None and find_spec(package) is None:
        raise ValueError(
            f"logger={logger} needs the package {package}, which is not installed: "
            f"pip install {package}, or gdp-restore[{package}]; logger=csv needs none"
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
    scored = [(str(row["name"]), numbers(row)) for row in rows if row.get("state") == "done"]
    for step, (photo, values) in enumerate(scored):
        record.photo(step, photo, values)

    keys = dict.fromkeys(key for _, values in scored for key in values)
    means = {}
    for key in keys:
        found = [values[key] for _, values in scored if key in values]
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
