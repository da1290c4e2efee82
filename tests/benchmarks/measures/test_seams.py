"""What tiles leave in a picture."""

import json

import pytest
import torch

from benchmarks.measures import seams
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.tiling import TiledPrior
from tests.benchmarks.conftest import run_main


def test_seams(monkeypatch, tmp_path, cat, capsys):
    words = ["--images", cat, "--tasks", "sr4", "--tile", 16, "--steps", 2]
    run_main(monkeypatch, seams, *words, "--out", tmp_path / "o", "--json", tmp_path / "s.json")

    rows = json.loads((tmp_path / "s.json").read_text())["rows"]
    modes = ("none", "windows", "shifted")
    assert [(r["task"], r["tiling"]) for r in rows] == [("sr4", mode) for mode in modes]
    for row in rows:
        if row["tiling"] != "none":
            assert row["pixels_per_pixel"] > 1 and 0.3 < row["seams"] < 3
    assert "pixels_per_pixel" in capsys.readouterr().out
    assert len(list((tmp_path / "o").iterdir())) == 3


def test_one_call_by_tiles(monkeypatch, tmp_path, cat):
    words = ["--images", cat, "--one-call", "--json", tmp_path / "s.json"]
    monkeypatch.setattr(seams, "SIDES", (64, 16))
    run_main(monkeypatch, seams, *words)
    *rows, pixels = json.loads((tmp_path / "s.json").read_text())["rows"]
    assert [row["t"] for row in rows] == list(seams.TIMES)
    for row in rows:
        assert row["whole"] == pytest.approx(row["64"]) and row["16"] != row["whole"]
        assert row["whole"] < 0.5
    assert pixels["16"] > pixels["64"] == pytest.approx(1.2)  # of sides that the network takes


def test_seam_energy_sees_a_seam():
    prior, whole = TiledPrior(GaussianPrior(), 16, 4, moving=False), torch.rand(1, 3, 24, 50)
    assert seams.seam_energy(whole, whole, prior, 5) == (1.0, 1.0)
    lines = seams.seams(prior.spans(50, 5, 0.5, whole), 50)
    broken = whole.clone()
    broken[..., int(lines.nonzero()[1]) :] += 5
    on, off = seams.seam_energy(broken, whole, prior, 5)
    assert on > 1.5 and off == pytest.approx(1)
