"""Training on in rounds: each begins from the one before, and what is cut off goes on."""

import json
import os
import subprocess
import sys
import time

import pytest

from benchmarks.training import train_on
from tests.train.conftest import curve, finished, folder  # noqa: F401

TINY = ["--steps", "2", "--holdout", "2", "--batch", "2", "--samples", "1", "--device", "cpu"]


def command(data, out, init, *more):
    """The words of a run in this process."""
    words = ["--here", "--data", data, "--out", out, "--init", init]
    return [str(word) for word in (*words, *more, *TINY)]


@pytest.fixture(autouse=True)
def _polite(monkeypatch):
    """The tests' own process keeps its priority."""
    monkeypatch.setattr(train_on, "stand_back", lambda: None)


def test_rounds_go_on_from_one_another(finished, folder, tmp_path):  # noqa: F811
    out, init = tmp_path / "on", finished / "weights.safetensors"
    assert train_on.main(command(folder, out, init, "--rounds", "2")) == 0
    assert json.loads((out / "rounds.json").read_text()) == ["round_001", "round_002"]
    assert not (out / "train_on.pid").exists()

    # What is published is the last round's; the second began where the first ended
    second = out / "round_002"
    names = ("weights.safetensors", "config.yaml")
    assert all((out / name).read_bytes() == (second / name).read_bytes() for name in names)
    ended, began = curve(out / "round_001", "heldout.jsonl"), curve(second, "heldout.jsonl")
    assert began[0]["mse"] == pytest.approx(ended[-1]["mse"], rel=1e-3)

    # Asked for no more, nothing is done; asked for another, there is one
    assert train_on.main(command(folder, out, init, "--rounds", "2")) == 0
    assert train_on.main(command(folder, out, init, "--rounds", "3")) == 0
    assert len(json.loads((out / "rounds.json").read_text())) == 3


def test_it_stands_back():
    words = "from benchmarks.training.train_on import stand_back as s; import os; s(); "
    words += "group = '/proc/self/autogroup'; "
    words += "print(os.nice(0), open(group).read() if os.path.exists(group) else 'nice 19')"
    command = [sys.executable, "-c", words]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, start_new_session=True
    )
    assert told.stdout.startswith("19 ") and told.stdout.rstrip().endswith("nice 19")


def test_bad_data_is_one_line(tmp_path, capsys):
    assert train_on.main(["--data", str(tmp_path / "none")]) == 2
    assert "the folder of photos to train on" in capsys.readouterr().err


def test_in_the_background_until_it_is_stopped(tmp_path, monkeypatch, capsys):
    script = tmp_path / "work.py"
    script.write_text(
        "import os, pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
        "(out / 'train_on.pid').write_text(str(os.getpid()))\n"
        "(out / 'words').write_text(' '.join(sys.argv[1:]))\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(train_on, "__file__", str(script))
    out = tmp_path / "on"
    words = ["--data", str(tmp_path), "--out", str(out)]
    assert train_on.main([*words, "--lr", "1e-5"]) == 0
    until = time.monotonic() + 20
    while not (out / "words").exists() and time.monotonic() < until:
        time.sleep(0.02)
    pid = int((out / "train_on.pid").read_text())
    assert os.getsid(pid) == pid  # a session of its own
    given = (out / "words").read_text()
    assert given.startswith("--here --data") and given.endswith("--lr 1e-5")

    assert train_on.main(["--out", str(out), "--stop"]) == 0
    assert "ends after its step" in capsys.readouterr().out
    assert os.waitpid(pid, 0) == (pid, 0)
    (out / "train_on.pid").write_text("nonsense")
    assert train_on.main(["--out", str(out), "--stop"]) == 0
    assert "nothing trains" in capsys.readouterr().out
