"""Shards: the file comes back as it was, and what is missing or damaged is said."""

import numpy as np
import pytest

from benchmarks.training.shards import MOST, join, split


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "weights.bin"
    file.write_bytes(np.random.default_rng(0).bytes(2500))
    return file


def test_there_and_back(file, tmp_path):
    shards = split(file, tmp_path / "kept", most=1000)
    assert [shard.stat().st_size for shard in shards] == [1000, 1000, 500]
    assert join(file.name, tmp_path / "kept", tmp_path / "new" / "weights.bin")
    assert (tmp_path / "new" / "weights.bin").read_bytes() == file.read_bytes()
    assert MOST < 16 * 2**20


def test_new_shards_take_the_place_of_old_ones(file, tmp_path):
    kept = tmp_path / "kept"
    old = split(file, kept, most=1000)
    file.write_bytes(b"another")
    (new,) = split(file, kept, most=1000)
    assert sorted(kept.iterdir()) == sorted([new, kept / "weights.bin.json"])
    assert not any(shard.exists() for shard in old)
    assert (
        join(file.name, kept, tmp_path / "back") and (tmp_path / "back").read_bytes() == b"another"
    )


def test_a_split_that_is_killed_leaves_the_shards_before(file, tmp_path, monkeypatch):
    kept, before = tmp_path / "kept", file.read_bytes()
    split(file, kept, most=1000)
    file.write_bytes(b"another" * 1000)
    monkeypatch.setattr("json.dumps", lambda _: 1 / 0)  # after the new shards, before their index
    with pytest.raises(ZeroDivisionError):
        split(file, kept, most=1000)
    assert join(file.name, kept, tmp_path / "back") and (tmp_path / "back").read_bytes() == before


def test_nothing_there(tmp_path):
    assert not join("weights.bin", tmp_path, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_missing_and_damaged(file, tmp_path):
    shards = split(file, tmp_path / "kept", most=1000)
    shards[2].write_bytes(b"x" * 500)
    with pytest.raises(ValueError, match="damaged; bring them again"):
        join(file.name, tmp_path / "kept", tmp_path / "back")
    shards[1].unlink()
    with pytest.raises(ValueError, match=rf"lacks {shards[1].name}, one of 3 shards"):
        join(file.name, tmp_path / "kept", tmp_path / "back")
    assert not (tmp_path / "back").exists()
