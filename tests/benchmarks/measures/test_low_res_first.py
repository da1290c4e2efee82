"""What low resolution first is worth."""

import json

import pytest
import torch

from benchmarks.measures import low_res_first
from gdp.picture import read
from tests.benchmarks.conftest import run_main


def test_low_res_first(monkeypatch, tmp_path, cat, capsys, photo64):
    monkeypatch.setattr(low_res_first, "SIDE", 64)
    monkeypatch.setattr(low_res_first, "CORNER", 16)
    monkeypatch.setattr(low_res_first, "HOLE", (*low_res_first.HOLE, "steps=2"))

    words = ["--image", cat, "--crop", "24x16", "--tasks", "denoise", "--modes", "none:3,first:4"]
    words += ["--sky", tmp_path / "s.png", "--json", tmp_path / "s.json"]
    run_main(monkeypatch, low_res_first, *words)

    one, first, tiles, whole, last = json.loads((tmp_path / "s.json").read_text())["rows"]
    assert one["full_calls"] == 3 == one["cost"] and first["full_calls"] == 2 < first["cost"] < 4
    assert tiles["cost"] == whole["cost"] == 2 and last["cost"] < 2
    assert all(r["drift"] >= 0 for r in (tiles, whole, last))
    assert read(tmp_path / "s.png").pixels.shape[-1] > 3 * 64
    assert "rms_of_means" in capsys.readouterr().out

    error = torch.zeros(1, 3, 60, 60)
    error[:, 1, 30:, 30:] = 0.5
    assert low_res_first.drift(error) == pytest.approx(0.5)
