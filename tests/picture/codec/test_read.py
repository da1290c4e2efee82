"""Picture files read: kinds, modes and depths, orientation, damage, bombs."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.odd_files import bombs, encoded, exif, values
from gdp.picture import read
from gdp.picture.codec.png16 import png16
from tests.picture.codec.files import RGB, SOUND, loaded, tiff

ALPHA = {
    "rgba.png",
    "palette.png",
    "lossless.webp",
    "palette.gif",
    "grey_alpha.png",
    "key.png",
    "deep_grey_alpha.png",
    "deep_rgba.png",
}
ALPHA |= {"clear.png", "premultiplied.tif", "rgba.avif"}
rng = np.random.default_rng(0)


@pytest.mark.parametrize("name", sorted(SOUND))
def test_kinds(photo, name):
    got = photo(SOUND[name], name)
    deep = name.startswith(
        ("deep", "big_endian.", "bigtiff", "planar", "tiles", "premultiplied", "inverted")
    ) or name in (
        "turned3.tif",
        "turned5.tif",
        "turned8.tif",
    )
    assert got.depth == (32 if "float" in name or "half" in name else 16 if deep else 8)
    assert got.grey == (
        "grey" in name or name in ("bilevel.png", "fax.tif", "inverted.tif", "big_endian_float.tif")
    )
    assert (got.alpha is not None) == (name in ALPHA)
    assert got.rounding == (
        0 if got.depth == 32 else pytest.approx(1 / ((2**got.depth - 1) * 12**0.5))
    )
    if "profile" in name:
        assert (got.icc is not None) == (name == "grey_rgb_profile.jpg")
    if name not in ("one.png", "row.png", "column.png", "small.jpg") and not name.startswith(
        ("bilevel", "fax", "clear", "premult", "inverted")
    ):
        assert abs(float(got.pixels.mean()) - float(RGB.mean())) < (
            0.25 if "cmyk" in name or name == "grey.png" else 0.06
        )


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "1", "I;16", "F", "YCbCr"])
def test_modes(tmp_path, mode):
    values = rng.integers(0, 255, (6, 5, 3), dtype=np.uint8)
    file = tmp_path / ("x.tif" if mode in ("F", "CMYK", "YCbCr", "I;16") else "x.png")
    if mode == "I;16":
        picture = Image.fromarray(values[..., 0].astype(np.uint16) * 257)
    else:
        picture = (
            Image.fromarray(values[..., 0].astype(np.float32) / 255)
            if mode == "F"
            else Image.fromarray(values).convert(mode)
        )
    picture.save(file)
    photo = read(file)
    assert photo.pixels.shape == (1, 3, 6, 5) and photo.pixels.dtype == torch.float32
    if mode == "I;16":
        torch.testing.assert_close(
            photo.pixels[0, 0], torch.from_numpy(values[..., 0] / 255).float()
        )
        assert photo.rounding < 1e-5
    if mode == "RGBA":
        torch.testing.assert_close(
            photo.pixels[0].permute(1, 2, 0), torch.from_numpy(values / 255).float()
        )


@pytest.mark.parametrize("orientation", range(10))
def test_orientation_is_pillows_at_any_depth(photo, orientation):
    want = photo(encoded(Image.fromarray(values()), "PNG", exif=exif(orientation)))
    deep = values().astype(np.uint16) * 257
    tagged = tiff(deep, extratags=[(274, 3, 1, orientation, True)])
    for got in (photo(png16(deep, exif=exif(orientation))), photo(tagged, "x.tif")):
        torch.testing.assert_close(got.pixels, want.pixels)
    assert tuple(want.pixels.shape[-2:]) == ((20, 16) if orientation in (5, 6, 7, 8) else (16, 20))
    assert want.exif is not None
    assert 0x0112 not in loaded(want.exif)
    assert loaded(want.exif)[0x010F] == "Maker"


def test_orientation(tmp_path):
    picture = Image.fromarray(rng.integers(0, 255, (6, 10, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "x.jpg", exif=exif)
    assert read(tmp_path / "x.jpg").pixels.shape[-2:] == (10, 6)


def test_broken_files(tmp_path, cat):
    data = cat.read_bytes()
    (tmp_path / "short.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("short.png", "text.png", "empty.png"):
        with pytest.raises(ValueError, match=name):
            read(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="none"):
        read(tmp_path / "none.png")


def test_bombs(tmp_path, monkeypatch, cat):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match="100 pixels"):
        read(cat)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    """No decoder is reached: neither PIL's, nor torchvision's, nor tifffile's."""

    def reached(*args, **kwargs):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", reached)
    monkeypatch.setattr("gdp.picture.codec.png16.read_png16", reached)
    monkeypatch.setattr("tifffile.TiffPage.asarray", reached)
    cases = [
        case
        for case in bombs()
        if case.name.startswith(("huge", "tile", "raw_tile", "most", "strips", "flood16.tif"))
    ]
    assert len(cases) > 12
    for case in cases:
        (tmp_path / case.name).write_bytes(case.data)
        with pytest.raises(ValueError, match=case.name) as told:
            read(tmp_path / case.name)
        assert "decoded" not in str(told.value)


def test_heic_is_named(tmp_path):
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(ValueError, match=r"x\.heic is (HEIC|damaged)"):
        read(tmp_path / "x.heic")
