"""Files are written whole or not at all."""

import os
import stat

import pytest

from gdp.storage.files import atomic, clear, is_other


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


def test_something_else_stands_there(tmp_path):
    """Links that lead nowhere or in circles are something; what is not there is nothing."""
    (tmp_path / "file").write_text("")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert not is_other(tmp_path / "file", stat.S_ISREG)
    assert is_other(tmp_path, stat.S_ISREG)
    assert is_other(tmp_path / "file", stat.S_ISDIR)
    assert is_other(tmp_path / "nowhere", stat.S_ISREG)
    assert is_other(tmp_path / "loop", stat.S_ISREG)
    assert not is_other(tmp_path / "gone", stat.S_ISREG)
    assert not is_other(tmp_path / "file" / "below", stat.S_ISREG)
