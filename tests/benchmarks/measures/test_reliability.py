"""Whether the map of where samples differ tells how wrong their mean is."""

import json

import pytest
import torch

from benchmarks.measures import reliability
from gdp.picture import to_image, write
from tests.photos import astronaut


def test_a_right_map_is_on_the_diagonal():
    chance = torch.Generator().manual_seed(0)
    std = 0.01 + 0.2 * torch.rand(20000, generator=chance)
    error = std * torch.randn(20000, generator=chance)
    row = reliability.reliability(error, std)
    assert row["ratio"] == pytest.approx(1, abs=0.05)
    assert row["within_2"] == pytest.approx(0.954, abs=0.01) and row["rank"] > 0.3
    assert all(e == pytest.approx(s, rel=0.1) for s, e in row["curve"])
    assert [s for s, _ in row["curve"]] == sorted(s for s, _ in row["curve"])

    sure = reliability.reliability(error, std / 4)
    assert sure["ratio"] == pytest.approx(4, abs=0.2) and sure["within_2"] < 0.5
    blind = reliability.reliability(error, std[torch.randperm(20000, generator=chance)])
    assert abs(blind["rank"]) < 0.05
    alike = reliability.reliability(error, torch.zeros_like(std))
    assert alike["ratio"] is None and alike["rank"] is None and alike["within_2"] == 0


def test_the_command(tmp_path):
    write(to_image(astronaut(32)), tmp_path / "a.png")
    file = tmp_path / "o.json"
    words = "--tasks denoise_sigma_y=0.1 --samplers ddrm --samples 3 --size 16 --steps 2".split()
    words[1] = "denoise sigma_y=0.1"
    reliability.main(["--images", str(tmp_path), *words, "--json", str(file)])
    (row,) = json.loads(file.read_text())["rows"]
    assert row["photos"] == 1 and row["error"] > 0 and row["std"] > 0 and len(row["curve"]) == 10
