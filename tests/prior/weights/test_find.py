"""Files of weights: found, downloaded, or asked for in a sentence."""

import hashlib

import pytest
import torch

from gdp.compose.configuration import compose, make
from gdp.prior.weights import find
from gdp.prior.weights.find import locate


def test_download_and_its_failure(tmp_path, weights, monkeypatch):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    torch.save(weights, tmp_path / "there.pt")
    digest = hashlib.sha256((tmp_path / "there.pt").read_bytes()).hexdigest()
    asked = []

    def fetch(url, file, known):
        asked.append((url, known))
        file.parent.mkdir()
        file.write_bytes((tmp_path / "there.pt").read_bytes())
        return file

    monkeypatch.setattr(find, "download", fetch)
    assert locate("w.pt", "https://example.invalid/w.pt", digest) == tmp_path / "cache" / "w.pt"
    assert locate("w.pt", "https://example.invalid/w.pt", digest).is_file()
    assert asked == [("https://example.invalid/w.pt", digest)]

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(find, "download", offline)
    with pytest.raises(
        FileNotFoundError,
        match=r"other\.pt cannot be downloaded \(https://example.invalid/x: no net.*put it at",
    ):
        locate("other.pt", "https://example.invalid/x")
    with pytest.raises(FileNotFoundError, match=r"prior\.path"):
        locate("nowhere.pt")


def test_what_a_person_has_to_fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=rf"ffhq_10m\.pt.*get it from https://.* put it at {tmp_path}"
    ):
        make(compose("prior=ffhq256").prior)
