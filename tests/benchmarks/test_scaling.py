"""The benchmarks of sizes and seams run, and mean what they say."""

import json
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.costs import scaling
from benchmarks.measures import low_res_first, seams
from gdp.picture import read
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.tiling import TiledPrior


def test_seams(monkeypatch, tmp_path, cat, capsys):
    words = [
        "x",
        "--images",
        str(cat),
        "--tasks",
        "sr4",
        "--tile",
        "16",
        "--steps",
        "2",
        "--out",
        str(tmp_path / "o"),
    ]
    monkeypatch.setattr(sys, "argv", [*words, "--json", str(tmp_path / "s.json")])
    with torch.no_grad():
        seams.main()
    rows = json.loads((tmp_path / "s.json").read_text())["rows"]
    assert [(r["task"], r["tiling"]) for r in rows] == [
        (t, m) for t in ("sr4",) for m in ("none", "windows", "shifted")
    ]
    assert all(
        r["pixels_per_pixel"] > 1 and 0.3 < r["seams"] < 3 for r in rows if r["tiling"] != "none"
    )
    assert (
        "pixels_per_pixel" in capsys.readouterr().out and len(list((tmp_path / "o").iterdir())) == 3
    )


def test_seam_energy_sees_a_seam():
    prior, whole = TiledPrior(GaussianPrior(), 16, 4, moving=False), torch.rand(1, 3, 24, 50)
    assert seams.seam_energy(whole, whole, prior, 5) == (1.0, 1.0)
    lines = seams.seams(prior.spans(50, 5, 0.5, whole), 50)
    broken = whole.clone()
    broken[..., int(lines.nonzero()[1]) :] += 5
    on, off = seams.seam_energy(broken, whole, prior, 5)
    assert on > 1.5 and off == pytest.approx(1)


def test_scaling(monkeypatch, tmp_path, cat):
    sizes = []

    def cost(command):
        photo = Path(next(w for w in command if w.startswith("input=")).removeprefix("input="))
        out = Path(next(w for w in command if w.startswith("output=")).removeprefix("output="))
        out.mkdir()
        (out / "photo.json").write_text(json.dumps({"nfe": 3, "seconds": 9.0}))
        sizes.append(tuple(read(photo).pixels.shape[-2:]))
        return 2.0 + sizes[-1][0] / 100, 500.0

    monkeypatch.setattr(scaling, "cost", cost)
    page = tmp_path / "p.md"
    monkeypatch.setattr(
        sys, "argv", ["x", "--image", str(cat), "--sizes", "1000x500", "--out", str(page)]
    )
    scaling.main()
    assert sizes == [(16, 16), (500, 1000)]
    assert (
        "| 1000x500 | 0.5 " in page.read_text()
        and "9.68" in page.read_text()
        and "task=denoise steps=4" in page.read_text()
    )


def test_cost_of_a_program():
    seconds, peak = scaling.cost(
        [sys.executable, "-c", "x = bytearray(300_000_000); sum(range(2_000_000))"]
    )
    assert seconds > 0 and peak > 250
    with pytest.raises(RuntimeError, match="failed"):
        scaling.cost([sys.executable, "-c", "raise SystemExit(3)"])


def test_low_res_first(monkeypatch, tmp_path, cat, capsys, photo64):
    monkeypatch.setattr(low_res_first, "SIDE", 64)
    monkeypatch.setattr(low_res_first, "CORNER", 16)
    words = [
        "x",
        "--image",
        str(cat),
        "--crop",
        "24x16",
        "--tasks",
        "denoise",
        "--modes",
        "none:3,first:4",
        "--sky",
        str(tmp_path / "s.png"),
    ]
    monkeypatch.setattr(sys, "argv", [*words, "--json", str(tmp_path / "s.json")])
    monkeypatch.setattr(low_res_first, "HOLE", (*low_res_first.HOLE, "steps=2"))
    with torch.no_grad():
        low_res_first.main()
    one, first, tiles, whole, last = json.loads((tmp_path / "s.json").read_text())["rows"]
    assert one["full_calls"] == 3 == one["cost"] and first["full_calls"] == 2 < first["cost"] < 4
    assert (
        tiles["cost"] == whole["cost"] == 2
        and last["cost"] < 2
        and all(r["drift"] >= 0 for r in (tiles, whole, last))
    )
    assert (
        read(tmp_path / "s.png").pixels.shape[-1] > 3 * 64
        and "rms_of_means" in capsys.readouterr().out
    )
    error = torch.zeros(1, 3, 60, 60)
    error[:, 1, 30:, 30:] = 0.5
    assert low_res_first.drift(error) == pytest.approx(0.5)
