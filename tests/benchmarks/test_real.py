"""The benchmark of reality: its rows, its tables and its page."""

import json

import pytest

from benchmarks import real
from benchmarks.pages.real import is_worse, tables, write
from gdp.picture import picture_of, to_image
from tests.benchmarks.conftest import run_main
from tests.photos import astronaut


@pytest.fixture
def folder(tmp_path):
    """A pair, and a photo that is good."""
    clean = to_image(astronaut(64))
    noisy = clean + 0.1 * (clean.roll(1, -1) - clean.roll(2, -2)).sign()
    place = tmp_path / "pairs" / "noise_made"
    place.mkdir(parents=True)
    for name, pixels in (("a_in", noisy), ("a_gt", clean), ("b_in", noisy), ("b_gt", clean)):
        picture_of(pixels).save(place / f"{name}.png")
    return tmp_path / "pairs"


def test_real(monkeypatch, tmp_path, folder, capsys):
    words = ["--pairs", folder, "--sets", "noise_made", "--size", 32, "--harm", folder]
    words += ["--tasks", "denoise:sigma_y=auto", "--override", "steps=2", "--noise"]
    words += ["--keep", tmp_path / "rows.jsonl", "--limit", 1]
    run_main(monkeypatch, real, *words, "--json", tmp_path / "first.json")
    first = json.loads((tmp_path / "first.json").read_text())["rows"]

    # One row a method, the input first; each with its scores
    pairs = [row for row in first if row["table"] == "pairs"]
    assert pairs[0]["method"] == "input" and pairs[0]["moved"] == pytest.approx(100)
    ours = [row for row in pairs if row["kind"] == "ours"]
    assert [row["method"] for row in ours] == ["denoise:sigma_y=auto"]
    assert ours[0]["calls"] > 0 and ours[0]["psnr"] > 10
    assert {row["half"] for row in pairs} == {"even"}
    assert {"skimage_tv"} <= {row["method"] for row in pairs}

    # Photos that are to come to no harm, truths left out; and noise
    harmed = [row for row in first if row["table"] == "harm"]
    assert [row["photo"] for row in harmed] == ["noise_made/a_in.png", "noise_made/b_in.png"]
    assert all({"moved", "gradients", "change_psnr"} <= row.keys() for row in harmed)
    assert any(row["table"] == "noise" for row in first)

    # Again: nothing is made anew
    monkeypatch.setattr("gdp.api.restore", lambda *a, **k: pytest.fail("anew"))
    run_main(monkeypatch, real, *words, "--json", tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["rows"] == first
    out = capsys.readouterr().out
    assert "## noise_made" in out and "## No harm" in out and "| **denoise:sigma_y=auto** |" in out


def test_a_refusal_counts_as_failed(monkeypatch, tmp_path, folder):
    def refuse(*words, **settings):
        raise ValueError("no")

    monkeypatch.setattr("gdp.api.restore", refuse)
    words = ["--pairs", folder, "--sets", "noise_made", "--tasks", "denoise", "--without-others"]
    run_main(monkeypatch, real, *words, "--json", tmp_path / "rows.json")
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [row["method"] for row in rows] == ["input", "denoise"] * 2 and rows[1]["error"] == "no"
    assert "| **denoise** | 0      | 2      |" in tables(rows)


def test_means_are_over_photos_and_halves():
    row = {"table": "pairs", "set": "s", "method": "m", "kind": "ours", "ssim": 0.5, "haarpsi": 0.5}
    rows = [{**row, "half": "even", "psnr": 20.0}, {**row, "half": "odd", "psnr": 30.0}]
    assert "| **m**  | 2      | 25   | 20        | 30       | 0.5  | 0.5     |" in tables(rows)


def test_what_is_worse():
    same = {"change_psnr": -0.05, "change_ssim": 0.0, "change_haarpsi": -0.001}
    assert not is_worse(same)
    assert is_worse({**same, "change_psnr": -0.2}) and is_worse({**same, "change_ssim": -0.01})


def test_it_refuses_what_it_cannot_do(monkeypatch, folder):
    for words in (["--sets", "rain"], ["--size", 30], ["--pairs", folder, "--sets", "noise_x"]):
        with pytest.raises(SystemExit) as stop:
            run_main(monkeypatch, real, *words)
        assert stop.value.code == 2


def test_pictures_stay_where_they_are_asked_to(tmp_path):
    page = tmp_path / "real.md"
    row = {"table": "pairs", "set": "a", "half": "even", "method": "input", "kind": "input"}
    with pytest.raises(ValueError, match="no pictures"):
        write([row], page, same_pictures=True)
    page.write_text("# Old\n\n## The simulated phone at 1:1\n\nThese.\n\n## b\n\ntext\n")
    write([row], page, same_pictures=True)
    told = page.read_text()
    assert "at 1:1\n\nThese.\n\n## a" in told and not (tmp_path / "real.jpg").exists()
