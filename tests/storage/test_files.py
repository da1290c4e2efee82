"""Files are written whole or not at all."""

import os
import stat

import pytest

from gdp.storage.files import atomic, clear


def test_nothing_half_written(tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("old")
    with pytest.raises(RuntimeError), atomic(file) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert file.read_text() == "old" and os.listdir(tmp_path) == ["x.txt"]


def test_a_new_file_is_readable_as_any_other(tmp_path):
    with atomic(tmp_path / "x.txt") as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path and not (tmp_path / "x.txt").exists()
    (tmp_path / "y.txt").touch()
    assert (tmp_path / "x.txt").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "x.txt").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "y.txt").stat().st_mode
    )


def test_what_a_killed_writer_left_is_cleared(tmp_path):
    (tmp_path / "x.txt").write_text("kept")
    (tmp_path / ".hidden").write_text("kept")
    writer = atomic(tmp_path / "x.txt")
    writer.__enter__().write_text("half")
    assert len(os.listdir(tmp_path)) == 3
    clear(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "x.txt"]
