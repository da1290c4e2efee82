"""What a photo costs by its size."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.costs import scaling
from gdp.picture import read


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
    words = ["x", "--image", str(cat), "--sizes", "1000x500", "--out", str(page)]
    monkeypatch.setattr(sys, "argv", words)
    scaling.main()

    assert sizes == [(16, 16), (500, 1000)]
    for part in ("| 1000x500 | 0.5 ", "9.68", "task=denoise steps=4"):
        assert part in page.read_text()


def test_cost_of_a_program():
    program = "x = bytearray(300_000_000); sum(range(2_000_000))"
    seconds, peak = scaling.cost([sys.executable, "-c", program])
    assert seconds > 0 and peak > 250
    with pytest.raises(RuntimeError, match="failed"):
        scaling.cost([sys.executable, "-c", "raise SystemExit(3)"])
