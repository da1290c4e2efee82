"""What counts for a fingerprint, and what does not."""

import os

import pytest

from gdp.storage import fingerprint

SETTINGS = {"steps": 20, "prior": {"path": "photo64", "widths": [1, 2]}, "output": "a"}


def of(settings):
    return fingerprint.of_settings(settings, ("output",))


def test_settings_count_but_for_cosmetic_ones():
    assert of({**SETTINGS, "output": "b"}) == of(SETTINGS)
    assert of(dict(reversed(SETTINGS.items()))) == of(SETTINGS)
    assert of({**SETTINGS, "steps": 21}) != of(SETTINGS)
    assert of({**SETTINGS, "prior": {"path": "photo64", "widths": [1, 3]}}) != of(SETTINGS)


def test_a_fingerprint_of_earlier_versions_is_still_the_same():
    assert of(SETTINGS) == "07b94dd087bdc5ad9bef56c524333c53c6436679bf3474d7c9165b7e45c85f6a"


@pytest.mark.parametrize("large", [False, True])
def test_files_that_settings_name_count_by_what_they_hold(tmp_path, monkeypatch, large):
    if large:
        monkeypatch.setattr(fingerprint, "LARGE", 2)
    file = tmp_path / "mask.png"
    settings = {"operator": {"masks": [str(file)]}, "odd": ["~nobody/x", "a\0b", "x" * 5000]}
    absent = of(settings)
    file.write_bytes(b"one")
    first = of(settings)
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert len({absent, first, of(settings)}) == 3


def test_a_photo_is_known_by_size_and_time_or_by_content(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"photo")
    known = fingerprint.of_photo([file])
    assert fingerprint.same_photo(known, [file])
    os.utime(file, ns=(1, 1))
    assert fingerprint.same_photo(known, [file])
    file.write_bytes(b"other")
    assert not fingerprint.same_photo(known, [file])
    file.write_bytes(b"longer")
    assert not fingerprint.same_photo(known, [file])
    file.unlink()
    assert not fingerprint.same_photo(known, [file])
    assert not fingerprint.same_photo(["no", "fingerprint"], [file])
