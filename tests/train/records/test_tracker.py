"""--logger of training: the curves' numbers, by the trackers that jobs have."""

import csv
import json

import pytest

from gdp.storage import trackers
from gdp.train import __main__ as train
from tests.train.conftest import curve, run


class Noted(trackers.Tracker):
    """Keeps all that it is told."""

    begun: list["Noted"] = []

    def begin(self, step):
        self.step, self.logged, self.finished = step, [], None
        self.known, self.key = self.key, self.key or "its key"
        self.begun.append(self)

    def log(self, step, numbers):
        self.logged.append((step, numbers))

    def finish(self, numbers, kind="mean"):
        self.finished = (numbers, kind)


@pytest.fixture
def noted(monkeypatch):
    """The records that were opened, in place of those of Weights & Biases."""
    monkeypatch.setattr(Noted, "begun", [])
    monkeypatch.setitem(trackers.TRACKERS, "wandb", Noted)
    return Noted.begun


def test_numbers_of_the_curves_and_the_last_ones(folder, tmp_path, noted):
    words = ("--steps", 20, "--holdout", 2, "--sample-steps", 20, "--logger", "wandb")
    assert run(folder, tmp_path / "tiny", *words) == 0
    (record,) = noted
    assert (record.name, record.step, record.settings["batch"]) == ("tiny", 0, "4")

    first, second = curve(tmp_path / "tiny")
    (look,) = curve(tmp_path / "tiny", "heldout.jsonl")
    losses = [{key: row[key] for key in ("loss", "mse", "lr", "images")} for row in (first, second)]
    assert record.logged == [(10, losses[0]), (20, losses[1]), (20, {"heldout_mse": look["mse"]})]
    numbers, kind = record.finished
    assert kind == "last" and numbers["step"] == 20 and numbers["images"] == 80
    assert (numbers["mse"], numbers["heldout_mse"]) == (second["mse"], look["mse"])


def test_a_run_that_goes_on_is_the_same_to_its_tracker(folder, tmp_path, noted):
    for steps in (1, 2):
        assert run(folder, tmp_path / "out", "--steps", steps, "--logger", "wandb") == 0
    assert [(record.step, record.known) for record in noted] == [(0, ""), (1, "its key")]
    assert json.loads((tmp_path / "out" / "logger.json").read_text())["key"] == "its key"

    # Begun anew in the same folder it is another run
    (tmp_path / "out" / "checkpoint.pt").unlink()
    assert run(folder, tmp_path / "out", "--steps", 1, "--logger", "wandb") == 0
    assert (noted[-1].step, noted[-1].known) == (0, "")


def test_csv_has_a_line_for_each_training(folder, tmp_path):
    for name in ("one", "two"):
        assert run(folder, tmp_path / name, "--steps", 10, "--holdout", 2, "--logger", "csv") == 0
    with (tmp_path / "runs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["job"], row["step"], row["holdout"]) for row in rows] == [
        ("one", "10", "2"),
        ("two", "10", "2"),
    ]
    assert float(rows[0]["heldout_mse"]) == curve(tmp_path / "one", "heldout.jsonl")[-1]["mse"]


def test_a_tracker_that_is_not_installed_is_refused_at_once(folder, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    assert run(folder, tmp_path / "out", "--steps", 1, "--logger", "mlflow") == 2
    assert "--logger mlflow needs the package mlflow" in caplog.text
    assert "--logger csv needs none" in caplog.text and not (tmp_path / "out").exists()


def test_an_unknown_tracker_is_no_word(folder, tmp_path, capsys):
    with pytest.raises(SystemExit):
        train.main(["--data", str(folder), "--out", str(tmp_path / "out"), "--logger", "paper"])
    assert "tensorboard" in capsys.readouterr().err
