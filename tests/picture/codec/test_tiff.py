"""TIFF of deep pixels."""

from importlib.util import find_spec

import pytest

from tests.picture.codec.files import DEEP, tiff


def test_a_missing_codec_is_named(photo):
    if find_spec("imagecodecs"):
        pytest.skip("imagecodecs is installed")
    packed = bytearray(tiff(DEEP[..., :3]))
    at = packed.index(b"\x03\x01\x03\x00\x01\x00\x00\x00\x01\x00")
    packed[at + 8] = 5  # says LZW
    with pytest.raises(ValueError, match="imagecodecs"):
        photo(bytes(packed), "x.tif")
