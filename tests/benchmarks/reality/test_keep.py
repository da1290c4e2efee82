"""Rows are kept as they come."""

import pytest

from benchmarks.reality.keep import Kept


def test_a_row_is_made_once(tmp_path):
    file = tmp_path / "kept" / "rows.jsonl"
    assert Kept(file, 64).get(("set", "a"), lambda: {"psnr": 1.0}) == {"psnr": 1.0}
    with file.open("a") as stream:
        stream.write('{"key": "cut off')

    again = Kept(file, 64)
    assert again.get(("set", "a"), lambda: pytest.fail("made again")) == {"psnr": 1.0}
    assert again.get(("set", "b"), lambda: {"psnr": 2.0}) == {"psnr": 2.0}
    assert len(Kept(file).rows) == 2


def test_other_sizes_and_settings_are_other_rows(tmp_path):
    file = tmp_path / "rows.jsonl"
    for size, overrides in ((64, []), (32, []), (64, ["quality=fast"])):
        row = Kept(file, size, overrides).get(("set", "a"), lambda s=size: {"size": s})
        assert row == {"size": size}
    assert len(Kept(file).rows) == 3


def test_without_a_file_nothing_is_kept(tmp_path):
    assert Kept(None).get(("set", "a"), lambda: {"psnr": 1.0}) == {"psnr": 1.0}
    assert not list(tmp_path.iterdir())
