"""EXIF: what of it is on a result."""

import pytest
import torch
from PIL import Image, features

from benchmarks.odd_files import encoded, values
from gdp.picture import KINDS, read, write
from tests.picture.codec.files import RGB, SOUND, loaded


def test_exif_on_request(photo, tmp_path, caplog):
    like = photo(SOUND["rgb.jpg"], "x.jpg")
    for suffix in KINDS:
        if suffix == ".avif" and not features.check("avif"):
            continue
        file = tmp_path / f"y{suffix}"
        write(torch.rand(1, 3, 40, 32), file, like)
        assert read(file).exif is None
        write(torch.rand(1, 3, 40, 32), file, like, keep_exif=True)
        if suffix == ".bmp":
            assert "BMP files do not hold" in caplog.text
            continue
        found = loaded(read(file).exif)
        assert found[0x013B] == "Someone" and 0x0112 not in found
        assert found.get_ifd(0x8769)[0xA002] == 32
        assert found.get_ifd(0x8769)[0x829A] == pytest.approx(0.01)
    write(RGB, tmp_path / "deep.png", like, depth=16, keep_exif=True)
    assert loaded(read(tmp_path / "deep.png").exif).get_ifd(0x8769)[0xA002] == 20
    write(RGB, tmp_path / "deep.tif", like, depth=16, keep_exif=True)
    with Image.open(tmp_path / "deep.tif") as picture:
        assert picture.getexif()[0x010F] == "Maker"
    assert "texts only" in caplog.text


def test_exif_too_large_for_the_file_is_left_out(photo, tmp_path, caplog):
    data = Image.Exif()
    data[0x010E] = "x" * 70000
    like = photo(encoded(Image.fromarray(values()), "PNG", exif=data))
    write(RGB, tmp_path / "y.jpg", like, keep_exif=True)
    assert read(tmp_path / "y.jpg").exif is None and "left out" in caplog.text
