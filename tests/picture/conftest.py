"""What the tests of pictures share."""

import pytest

from gdp.picture import Photo, read
from gdp.picture.codec.write import warn_once


@pytest.fixture
def photo(tmp_path):
    """Reads a file of these bytes."""

    def of(data: bytes, name: str = "x.png") -> Photo:
        (tmp_path / name).write_bytes(data)
        return read(tmp_path / name)

    return of


@pytest.fixture(autouse=True)
def _no_warning_yet():
    warn_once.cache_clear()
