"""What photos cost at scale: the arithmetic, a measurement that runs, and a plan of many."""

import json

import pytest

from benchmarks import scaling
from benchmarks.costs import planning


def test_a_million_photos_by_hand():
    found = scaling.costs(0.07, 0.02, 0.01, megapixels=10, price=3, actors=4, network=1e12)
    assert found["s/photo"] == pytest.approx(1.0) and found["photos/s"] == pytest.approx(4.0)
    assert found["hours/million"] == pytest.approx(1e6 / 3600)
    assert found["cost/million"] == pytest.approx(3e6 / 3600)
    assert found["bottleneck"] == "network's calls"


def test_the_bottleneck_moves():
    slow_disk = scaling.costs(0.07, 0.02, 0.01, 10, 1, actors=100, network=35e6 * 20)
    assert slow_disk["bottleneck"] == "store" and slow_disk["photos/s"] == pytest.approx(20)
    assert slow_disk["actors a line feeds"] == pytest.approx(20)
    assert scaling.costs(0.01, 0.02, 0.3, 10, 1)["bottleneck"] == "decoding and encoding"


def test_it_measures_and_keeps(tmp_path, capsys):
    line = ["--sides", "24", "--qualities", "fast", "--device", "cpu"]
    assert scaling.main([*line, "--json", str(tmp_path / "a.json")]) == 0
    (row,) = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert row["calls"] > 0 and row["compute s/MP"] > 0 and row["decode s/MP"] > 0
    assert "cost/million" in capsys.readouterr().out


def test_many_are_planned(capsys):
    """Three thousand tiny photos in folders of a thousand: all of them, in batches of a size."""
    assert planning.main(["--photos", "3000"]) == 0
    cells = [cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].split("|")[1:-1]]
    engine, photos, batches, *_, more, each = cells
    assert (engine, photos) == ("local", "3000")
    assert 0 < int(batches) < 1500 and float(more) < 200 and float(each) < 60
