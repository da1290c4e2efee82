"""Colour profiles: which stay, and what becomes sRGB."""

import pytest
import torch
from PIL import Image, features

from benchmarks.odd_files import encoded, icc_cmyk, icc_grey, icc_srgb, values
from gdp.picture import read, write
from tests.picture.codec.files import RGB, SOUND


def test_profiles(photo, tmp_path, caplog):
    rgb = Image.fromarray(values())
    wide = icc_srgb()[:100] + b"\x01" + icc_srgb()[101:]  # any that is not this machine's own
    like = photo(encoded(rgb, "PNG", icc_profile=wide))
    torch.testing.assert_close(like.pixels, RGB)
    for suffix in ("png", "jpg", "webp", "tif", *(["avif"] if features.check("avif") else [])):
        write(like.pixels, tmp_path / f"y.{suffix}", like)
        with Image.open(tmp_path / f"y.{suffix}") as picture:
            assert picture.info["icc_profile"] == wide
    for suffix, depth in (("png", 16), ("tif", 16), ("tif", 32)):
        write(like.pixels, tmp_path / f"y.{suffix}", like, depth=depth)
        assert read(tmp_path / f"y.{suffix}").icc == wide
    write(like.pixels, tmp_path / "y.bmp", like)
    assert "no colour profile" in caplog.text
    assert photo(SOUND["junk_profile.png"]).icc is None and "damaged" in caplog.text
    assert photo(SOUND["foreign_profile.png"]).icc is None and "does not fit" in caplog.text
    assert photo(SOUND["large_profile.jpg"]).icc is None and "1 MB" in caplog.text


def test_cmyk_by_its_profile(photo):
    inks = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    strange = photo(encoded(inks, "TIFF", icc_profile=icc_cmyk()), "x.tif")
    red, green, blue = strange.pixels[0, :, 4, 4].tolist()
    assert strange.icc is None and red > 0.6 and red > green + 0.3 and red > blue + 0.3
    plain = photo(encoded(inks, "TIFF"), "x.tif")
    assert plain.pixels[0, :, 4, 4].tolist() == pytest.approx([0, 1, 1], abs=0.02)
    assert photo(SOUND["lab.tif"], "x.tif").pixels.shape == RGB.shape


def test_grey_by_its_profile(photo):
    plain, linear = (
        photo(encoded(Image.new("L", (4, 4), 55), "PNG", **({"icc_profile": p} if p else {})))
        for p in (None, icc_grey())
    )
    assert linear.grey and linear.icc is None
    assert float(plain.pixels[0, 0, 0, 0]) == pytest.approx(55 / 255)
    assert float(linear.pixels[0, 0, 0, 0]) == pytest.approx(
        0.5, abs=0.02
    )  # sRGB 0.5 is 0.214 of the light
