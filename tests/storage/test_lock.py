"""A lock on a folder: what frees it, and what it does where nothing can be locked."""

import time

import pytest

from gdp.storage import lock
from gdp.storage.workspace import Workspace


def test_where_nothing_can_be_locked_a_warning_says_so(tmp_path, monkeypatch, caplog):
    def refuse(handle, *, blocking):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock, "lock_descriptor", refuse)
    with Workspace(tmp_path / "o"):
        assert "cannot be locked (Operation not supported)" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_lock_on_a_file_that_its_holder_removed_is_none(tmp_path, monkeypatch):
    file, real, taken = tmp_path / ".gdp" / "lock", lock.lock_descriptor, []

    def late(handle, *, blocking):
        if not taken:
            file.unlink()
        taken.append(handle)
        return real(handle, blocking=blocking)

    monkeypatch.setattr(lock, "lock_descriptor", late)
    with Workspace(tmp_path):
        assert len(taken) == 2 and file.is_file()
        with pytest.raises(ValueError, match="another run"):
            Workspace(tmp_path).__enter__()


def test_a_file_in_the_way_of_the_notes_is_an_error(tmp_path):
    (tmp_path / ".gdp").touch()
    began = time.monotonic()
    with pytest.raises(OSError):
        Workspace(tmp_path).__enter__()
    assert time.monotonic() - began < 5
