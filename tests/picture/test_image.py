"""Pictures in and out."""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gdp.picture import (
    compare,
    find_photos,
    read,
    read_mask,
    rounded,
    to_image,
    to_model,
    write,
)

rng = np.random.default_rng(0)


@given(st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_png_round_trip(tmp_path_factory, h, w):
    file = tmp_path_factory.mktemp("t") / "x.png"
    pixels = torch.rand(1, 3, h, w) * 1.4 - 0.2
    write(pixels, file)
    photo = read(file)
    torch.testing.assert_close(photo.pixels, rounded(pixels))
    assert photo.rounding == pytest.approx(0.0011320, rel=1e-4)
    torch.testing.assert_close(to_image(to_model(pixels)), pixels)
    assert os.listdir(file.parent) == ["x.png"]


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


def test_folders(tmp_path, cat):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no pictures"):
        find_photos(tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match="no such file"):
        find_photos(tmp_path / "nowhere")
    (tmp_path / "b.JPG").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("")
    assert [p.name for p in find_photos(tmp_path)] == ["b.JPG", "cat.png"]
    assert find_photos(cat) == [cat]


def test_a_mask_that_looks_inverted_is_told(tmp_path, caplog):
    picture = Image.new("L", (10, 10), 255)
    picture.putpixel((0, 0), 0)
    picture.save(tmp_path / "m.png")
    assert float(read_mask(str(tmp_path / "m.png")).sum()) == 1 and "99 % for repair" in caplog.text


def test_masks(tmp_path, mask_file):
    keep = read_mask(str(mask_file))
    assert keep.shape == (1, 1, 20, 30) and keep[0, 0, 6, 12] == 0 and keep[0, 0, 0, 0] == 1
    for value, match in ((0, "no white"), (255, "all over")):
        Image.new("L", (4, 4), value).save(tmp_path / "m.png")
        with pytest.raises(ValueError, match=match):
            read_mask(str(tmp_path / "m.png"))
    with pytest.raises(ValueError, match="mask=FILE"):
        read_mask(None)


def test_comparison_of_sizes(tmp_path):
    compare(
        [("input", torch.rand(1, 1, 8, 10)), ("restored", torch.rand(1, 3, 32, 40))],
        tmp_path / "c.png",
    )
    with Image.open(tmp_path / "c.png") as sheet:
        assert sheet.width >= 80 and sheet.height > 32
