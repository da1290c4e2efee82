"""A folder of some storage: listed, read and written whole; memory:// stands for all of it."""

import os
import uuid
from pathlib import Path

import fsspec
import pytest

from gdp.remote.copies import Copies
from gdp.remote.store import Store, moment
from gdp.remote.urls import is_url, open_url
from gdp.storage import fingerprint
from gdp.storage.files import UNFINISHED


@pytest.fixture
def url():
    """A folder of memory that is this test's alone."""
    return f"memory://{uuid.uuid4().hex}"


def put(url, name, content=b"x"):
    fsspec.filesystem("memory").pipe_file(f"/{url.partition('://')[2]}/{name}", content)


@pytest.mark.parametrize(
    ("text", "far"),
    [
        ("s3://bucket/a.png", True),
        ("memory://a", True),
        ("gs://b/c", True),
        ("https://x.org/w.pt", False),  # weights come by gdp.storage.download
        ("a/b.png", False),
        ("C://photos", False),
        ("/a://b", False),
        ("s3://", False),
        (None, False),
        (["s3://b/a.png"], False),
    ],
)
def test_what_is_a_url(text, far):
    assert is_url(text) is far


def test_files_folder_by_folder_without_hidden_ones(url):
    for name in ("b.png", "a.png", "sub/c.png", "sub/deeper/d.png", ".gdp/manifest.json"):
        put(url, name)
    store = Store(url)
    assert [one.name for one in store.files()] == ["a.png", "b.png"]
    deep = ["a.png", "b.png", "sub/c.png", "sub/deeper/d.png"]
    assert [one.name for one in store.files(recursive=True)] == deep
    assert next(one.url for one in store.files()) == f"{url}/a.png"
    with pytest.raises(FileNotFoundError):
        list(Store(f"{url}/nowhere").files())


def test_a_copy_has_the_content_and_the_time(url, tmp_path):
    put(url, "a.png", b"some bytes")
    store = Store(url)
    found = store.look("a.png")
    assert found.bytes == 10 and found.modified > 1.6e18
    store.get("a.png", tmp_path / "a.png", found.modified)
    assert (tmp_path / "a.png").read_bytes() == b"some bytes"
    assert (tmp_path / "a.png").stat().st_mtime_ns == found.modified
    assert store.look("b.png") is None and store.read("b.png") is None
    with pytest.raises(FileNotFoundError):
        store.get("b.png", tmp_path / "b.png")
    assert sorted(os.listdir(tmp_path)) == ["a.png"]


def test_what_cannot_be_written_whole_leaves_nothing(tmp_path, monkeypatch):
    """A disk by fsspec knows no commit: there a file is renamed when it is whole."""
    store = Store(f"file://{tmp_path}/out")
    (tmp_path / "a").write_bytes(b"new")
    store.put(tmp_path / "a", "deep/a.png")
    assert (tmp_path / "out/deep/a.png").read_bytes() == b"new"

    def broken(source, target):
        with open(target, "wb") as stream:
            stream.write(b"ne")
        raise OSError("the line is dead")

    monkeypatch.setattr(store.system, "put_file", broken)
    with pytest.raises(OSError, match="the line is dead"):
        store.put(tmp_path / "a", "deep/a.png")
    assert (tmp_path / "out/deep/a.png").read_bytes() == b"new"
    assert not list(tmp_path.rglob(f"*{UNFINISHED}"))


def test_passwords_are_refused_and_not_repeated():
    with pytest.raises(ValueError, match="holds a password") as caught:
        open_url("sftp://user:secret@host/photos")
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="holds a password or a signature") as caught:
        open_url("az://c/p?sv=1&sig=topsecret")
    assert "topsecret" not in str(caught.value)


def test_what_is_missing_is_told_in_a_line(monkeypatch):
    with pytest.raises(ValueError, match=r"no storage is known by nosuch://; there are s3://"):
        open_url("nosuch://a/b")

    def absent(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", absent)
    with pytest.raises(ValueError, match=r"s3fs, which is not installed: pip install s3fs, or gdp"):
        open_url("s3://bucket/a")


def test_times_of_every_kind():
    assert moment({"LastModified": "2026-11-28T12:00:00Z"}) == 1795867200 * 10**9
    assert moment({"mtime": 1.5}) == 1_500_000_000
    assert moment({"name": "a"}) == 0


def test_settings_come_as_files_whose_place_counts_nowhere(url, tmp_path, monkeypatch):
    put(url, "mask.png", b"mask")
    put(url, "net/weights.pt", b"weights")
    put(url, "net/config.yaml", b"{}")
    put(url, "masks/cat.png", b"of the cat")
    known = []
    for cache in ("one", "two"):
        monkeypatch.setenv("GDP_CACHE", str(tmp_path / cache))
        copies = Copies()
        given = {
            "input": f"{url}/in",
            "mask": f"{url}/mask.png",
            "prior": {"path": f"{url}/net/weights.pt"},
            "reference": f"{url}/masks",
            "steps": 3,
        }
        here = copies.localised(given)
        assert here["input"] == given["input"] and here["steps"] == 3
        assert Path(here["mask"]).read_bytes() == b"mask"
        assert Path(here["prior"]["path"]).with_name("config.yaml").read_text() == "{}"
        assert os.listdir(here["reference"]) == []
        copies.fetch_beside("cat.jpg")
        assert os.listdir(here["reference"]) == ["cat.png"]
        known.append(fingerprint.of_settings(here, ("input",)))
    assert known[0] == known[1]

    put(url, "mask.png", b"other")
    assert Path(Copies().localised(given)["mask"]).read_bytes() == b"other"
    with pytest.raises(FileNotFoundError, match=r"no such file: memory://.*gone\.png"):
        Copies().localised({"mask": f"{url}/gone.png"})
