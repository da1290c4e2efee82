"""The cost of a step of training."""

import json
import sys

import pytest

from benchmarks.costs import training_speed


def test_training_speed(monkeypatch, tmp_path, capsys):
    words = "x --sizes 16 --pixels 512 --rounds 1 --json".split()
    monkeypatch.setattr(sys, "argv", [*words, str(tmp_path / "t.json")])
    training_speed.main()

    (row,) = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert row["batch"] == 2 and row["ratio"] == pytest.approx(row["torch_ms"] / row["kernels_ms"])
    assert "kernels_ms" in capsys.readouterr().out
