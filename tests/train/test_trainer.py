"""The trainer's steps: learning rate, average, budget, several processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gdp.train import __main__ as train
from gdp.train import trainer
from tests.train.conftest import SMALL, curve, run


def test_learning_rate_warms_up_and_decays():
    assert trainer.learning_rate(1.0, 0, 10, 0.0) == pytest.approx(0.1)
    assert trainer.learning_rate(1.0, 100, 10, 0.5) == pytest.approx(0.5)
    assert trainer.learning_rate(1.0, 100, 10, 1.0) == pytest.approx(0)


def test_average_forgets_its_start():
    ema, net = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    trainer.average(ema, net, 0.9999, 0)
    start = (ema.weight - net.weight).abs().item()
    for step in range(1, 100):
        trainer.average(ema, net, 0.9999, step)
    assert (ema.weight - net.weight).abs().item() < 1e-4 * start


def test_time_budget_ends_and_counts_earlier_time(folder, tmp_path):
    assert run(folder, tmp_path / "out", "--minutes", 0.01) == 0
    state = torch.load(tmp_path / "out" / "checkpoint.pt")
    assert state["step"] > 0 and state["seconds"] >= 0.6
    assert run(folder, tmp_path / "out", "--minutes", 0.01) == 0
    assert torch.load(tmp_path / "out" / "checkpoint.pt")["step"] == state["step"]


def test_exploding_loss_stops_the_run(folder, tmp_path, caplog):
    assert run(folder, tmp_path / "out", "--steps", 40, "--lr", 1e30, "--clip", 1e30) == 2
    assert "lower --lr" in caplog.text and not (tmp_path / "out" / "checkpoint.pt").exists()


@pytest.mark.slow
def test_two_processes_train_as_one(folder, tmp_path):
    pytest.importorskip("accelerate")
    arguments = ["--data", folder, "--steps", 10, "--holdout", 2, *SMALL, "--out"]
    one, two = ([str(a) for a in (*arguments, tmp_path / name)] for name in ("one", "two"))

    launch = "-m torch.distributed.run --standalone --nproc_per_node 2 -m gdp.train".split()
    where = {"cwd": Path(__file__).parents[2], "env": {**os.environ, "OMP_NUM_THREADS": "1"}}
    command = [sys.executable, *launch, *two]
    done = subprocess.run(command, **where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert train.main(one) == 0

    columns = [("log.jsonl", key) for key in ("loss", "mse", "images")] + [("heldout.jsonl", "mse")]
    for name, key in columns:
        expected = curve(tmp_path / "one", name)[-1][key]
        assert curve(tmp_path / "two", name)[-1][key] == pytest.approx(expected, rel=1e-5)
