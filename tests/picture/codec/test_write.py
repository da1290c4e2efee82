"""Picture files written: what of a photo is on its result."""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.odd_files import icc_srgb
from gdp.picture import Photo, picture_of, read, rounded, to_image, to_model, write
from tests.picture.codec.files import RGB, SOUND


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


@given(
    st.sampled_from(["png", "tif"]),
    st.sampled_from([8, 16, 32]),
    st.integers(1, 9),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_round_trips(tmp_path_factory, suffix, depth, h, w, grey, alpha):
    if (suffix, depth) == ("png", 32):
        return
    levels = {8: 255, 16: 65535, 32: 2**20}[depth]
    pixels = (torch.rand(1, 1 if grey else 3, h, w).expand(1, 3, h, w) * levels).round() / levels
    clear = (torch.rand(1, 1, h, w) * (levels - 1)).round() / levels + 1 / levels if alpha else None
    like = Photo(pixels, 0.0, clear, icc_srgb(), None, grey, depth)
    file = tmp_path_factory.getbasetemp() / f"trip.{suffix}"
    write(pixels, file, like)
    got = read(file)
    torch.testing.assert_close(got.pixels, pixels, atol=1e-6, rtol=0)
    assert got.depth == depth
    assert got.grey == grey
    assert got.icc == like.icc
    assert (got.alpha is None) == (clear is None)
    if clear is not None:
        torch.testing.assert_close(got.alpha, clear, atol=1e-6, rtol=0)


@pytest.mark.parametrize("suffix", ["jpg", "bmp"])
def test_alpha_is_on_white_where_there_is_none(photo, tmp_path, suffix, caplog):
    like = photo(SOUND["clear.png"])
    for _ in range(2):
        write(torch.zeros(1, 3, 16, 20), tmp_path / f"x.{suffix}", like)
    assert float(read(tmp_path / f"x.{suffix}").pixels.min()) > 0.98
    assert caplog.text.count("white") == 1


def test_grey_stays_grey_only_where_it_is(photo, tmp_path):
    for name, mode in (("grey.jpg", "L"), ("deep_grey.png", "I;16"), ("grey_alpha.png", "LA")):
        like = photo(SOUND[name], name)
        write(like.pixels, tmp_path / "same.png", like)
        with Image.open(tmp_path / "same.png") as picture:
            assert picture.mode == mode
        write(RGB, tmp_path / "coloured.png", like)
        torch.testing.assert_close(
            read(tmp_path / "coloured.png").pixels,
            RGB,
            atol=0.003 if like.alpha is None else 1,
            rtol=0,
        )
        with Image.open(tmp_path / "coloured.png") as picture:
            assert picture.mode in ("RGB", "RGBA")
    write(RGB[:, :1], tmp_path / "colour.png", photo(SOUND["rgb.png"]))
    with Image.open(tmp_path / "colour.png") as picture:
        assert picture.mode == "RGB"


@pytest.mark.parametrize("depth", [16, 32])
def test_depth_follows_the_photo_where_the_format_has_it(tmp_path, depth):
    like = Photo(RGB, 0.0, depth=depth)
    for suffix, most in ((".png", 16), (".tiff", 32), (".jpg", 8), (".webp", 8)):
        write(RGB, tmp_path / f"y{suffix}", like)
        assert read(tmp_path / f"y{suffix}").depth == min(depth, most)
    write(RGB, tmp_path / "y.tiff", like, depth=8)
    assert read(tmp_path / "y.tiff").depth == 8


def test_without_a_photo_it_is_plain_rgb(tmp_path):
    write(RGB * 1.2 - 0.1, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.mode == "RGB" and picture.tobytes() == picture_of(RGB * 1.2 - 0.1).tobytes()
    write(RGB, tmp_path / "low.jpg", quality=20)
    write(RGB, tmp_path / "high.jpg", quality=95)
    write(RGB, tmp_path / "exact.webp", quality=100)
    assert (tmp_path / "low.jpg").stat().st_size < (tmp_path / "high.jpg").stat().st_size
    torch.testing.assert_close(read(tmp_path / "exact.webp").pixels, RGB)


def test_a_writer_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write(RGB, tmp_path / "x.png")
    old = (tmp_path / "x.png").read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    like = Photo(RGB, 0.0, icc=icc_srgb())
    with pytest.raises(OSError, match="No space"):
        write(RGB, tmp_path / "x.png", like)
    assert (tmp_path / "x.png").read_bytes() == old and len(list(tmp_path.iterdir())) == 1
