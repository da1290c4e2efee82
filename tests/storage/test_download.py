"""Large files from the web: whole, the right ones, and never begun anew."""

import hashlib
import threading
import types

import pytest

from gdp.storage import download as module
from gdp.storage.download import WrongContentError, download
from gdp.storage.fingerprint import remembered_sha256, sha256
from tests.storage.web import served

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    """No pauses, no proxy, a cache of the test's own."""
    monkeypatch.setattr(module, "PAUSE", 0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))


def test_it_goes_on_where_the_connection_broke(tmp_path):
    with served(CONTENT, breaks_after=4000) as (url, asked):
        file = download(url, tmp_path / "new" / "w.pt", DIGEST.upper())
    assert file.read_bytes() == CONTENT
    assert asked == [None, "bytes=4000-", "bytes=8000-"]
    assert [f.name for f in file.parent.glob("[!.]*")] == ["w.pt"]


def test_it_goes_on_in_another_process_and_from_a_server_without_ranges(tmp_path):
    for ranges in (True, False):
        (tmp_path / "w.pt.part").write_bytes(CONTENT[:5000])
        with served(CONTENT, ranges=ranges) as (url, asked):
            file = download(url, tmp_path / "w.pt", DIGEST)
        assert asked == ["bytes=5000-"] and file.read_bytes() == CONTENT
        file.unlink()


def test_another_file_is_thrown_away(tmp_path):
    with served(CONTENT) as (url, _), pytest.raises(WrongContentError, match=DIGEST[:12]):
        download(url, tmp_path / "w.pt", "0" * 64)
    assert not (tmp_path / "w.pt").exists() and not (tmp_path / "w.pt.part").exists()


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (503, module.TRIES)])
def test_errors_end_it_and_keep_what_has_arrived(tmp_path, status, tries):
    (tmp_path / "w.pt.part").write_bytes(CONTENT[:5000])
    with served(CONTENT, status=status) as (url, asked), pytest.raises(OSError, match=str(status)):
        download(url, tmp_path / "w.pt")
    assert len(asked) == tries and (tmp_path / "w.pt.part").read_bytes() == CONTENT[:5000]


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path, monkeypatch):
    few = types.SimpleNamespace(free=100)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: few)
    with served(CONTENT) as (url, _), pytest.raises(OSError, match=r"10240 bytes .* 100 are free"):
        download(url, tmp_path / "w.pt")


def test_two_that_want_it_fetch_it_once(tmp_path):
    with served(CONTENT) as (url, asked):
        threads = [
            threading.Thread(target=download, args=(url, tmp_path / "w.pt", DIGEST))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert asked == [None] and (tmp_path / "w.pt").read_bytes() == CONTENT


def test_the_hash_of_a_large_file_is_remembered_while_it_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("gdp.storage.fingerprint.LARGE", 100)
    with served(CONTENT) as (url, _):
        file = download(url, tmp_path / "w.pt", DIGEST)
    read = []
    monkeypatch.setattr("gdp.storage.fingerprint.sha256", lambda f: read.append(f) or sha256(f))
    assert remembered_sha256(file) == DIGEST and not read  # since the download

    file.write_bytes(CONTENT[:-1])
    assert remembered_sha256(file) == hashlib.sha256(CONTENT[:-1]).hexdigest() and len(read) == 1
    remembered_sha256(file)
    assert len(read) == 1

    # A memory that is damaged, or cannot be written, is none.
    (tmp_path / "cache" / "sha256.json").write_text("[not json")
    assert remembered_sha256(file) == hashlib.sha256(CONTENT[:-1]).hexdigest() and len(read) == 2
