"""Results of the program are never its inputs; what else is left out is told."""

import json
import logging

import pytest

from gdp.picture import find_photos
from gdp.picture.find import find_all, namesake
from tests.picture.test_find import make

REPORT = {"output": "x", "versions": {}, "files": [".jpg", ".compare.png", ".sample2.png"]}


def test_results_are_no_inputs(tmp_path, caplog):
    made = ("a.jpg", "a.compare.png", "a.sample2.png", "sheet.png", "index.html")
    make(tmp_path, "a.png", "b.png", "b.compare.png", *made)
    (tmp_path / "a.json").write_text(json.dumps(REPORT))
    (tmp_path / "other.json").write_text('{"files": [".png"]}')
    make(tmp_path, "other.png", "trip/a.jpg")
    with caplog.at_level(logging.INFO, "gdp"):
        found = find_all(tmp_path, recursive=True)
    assert [f.name for f in found] == ["a", "b_compare", "b", "other", "trip/a"]
    assert "4 of former results" in caplog.text
    assert [p.name for p in find_photos(tmp_path / "a*")] == ["a.png"]
    assert find_photos(tmp_path / "a.jpg") == [tmp_path / "a.jpg"]  # named, it is meant
    make(tmp_path, "c.png", "c.preview.png", ".gdp/lock")
    assert "c.preview.png" not in [p.name for p in find_photos(tmp_path)]


def test_nothing_but_results(tmp_path):
    make(tmp_path, "a.jpg", "a.compare.png")
    (tmp_path / "a.json").write_text(json.dumps(REPORT))
    with pytest.raises(FileNotFoundError, match=r"former results.*input=\[a.compare.png"):
        find_photos(tmp_path)
    assert namesake(tmp_path, tmp_path / "elsewhere" / "a.png").name in ("a.jpg",)


@pytest.mark.parametrize("pattern", ["", "*.png", "**/*.png"])
def test_the_output_may_hold_the_input(tmp_path, pattern):
    make(tmp_path, "a.png", "sub/b.png")
    names = [f.name for f in find_all(f"{tmp_path}/{pattern}", True, skip=tmp_path)]
    assert names == (["a"] if pattern == "*.png" else ["a", "sub/b"])
    found = find_all(f"{tmp_path}/{pattern}", True, skip=tmp_path / "sub")
    assert [f.name for f in found] == ["a"]


def test_kinds_of_a_folder(tmp_path, caplog):
    taken = ["a.jfif", "b.jpe", "c.pgm", "d.ppm", "e.pnm", "f.jp2", "g.HEIC"]
    make(tmp_path, *taken, "x.mp4", "y.NEF", "notes.txt")
    with caplog.at_level(logging.INFO, "gdp"):
        assert [p.name for p in find_photos(tmp_path)] == taken
    assert "1 .mp4" in caplog.text and "1 .nef" in caplog.text and "rawpy" in caplog.text
    assert ".txt" not in caplog.text
