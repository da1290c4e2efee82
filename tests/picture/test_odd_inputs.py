"""Videos, raw files, pages and channels: taken as asked, or refused by what they are."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

import gdp
from benchmarks.odd_files import encoded, several, values
from gdp.picture import read
from tests.picture.codec.files import RGB

BOX = b"\0\0\0\x18ftyp%s\0\0\0\0" + bytes(200)


def tiff(array, **settings) -> bytes:
    """A TIFF of an array."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **settings)
    return stream.getvalue()


def jpeg_frame(marker: int, bits: int = 8) -> bytes:
    """A JPEG whose frame is of another kind."""
    data = bytearray(encoded(Image.fromarray(values()), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = marker, bits
    return bytes(data)


KINDS = {
    "a.mp4": (BOX.replace(b"%s", b"isom"), "is a video"),
    "a.mov": (BOX.replace(b"%s", b"qt  "), "is a video"),
    "a.m4v": (BOX.replace(b"%s", b"M4V "), "is a video"),
    "a.avi": (b"RIFF\0\0\0\0AVI LIST" + bytes(50), "is a video"),
    "a.mkv": (b"\x1a\x45\xdf\xa3" + bytes(50), "is a video"),
    "a.cr3": (BOX.replace(b"%s", b"crx "), "is a raw file"),
    "a.raf": (b"FUJIFILMCCD-RAW 0201" + bytes(99), "is a raw file"),
    "a.cr2": (b"II*\0\x10\0\0\0CR\2\0" + bytes(99), "is a raw file"),
    "a.nef": (tiff(values()), "is a raw file"),
    "dng.tif": (
        tiff(values()[..., 0], extratags=[(50706, 1, 4, (1, 4, 0, 0), True)]),
        "is a raw file",
    ),
    "five.tif": (
        tiff(np.zeros((6, 5, 5), np.uint8), photometric="minisblack", planarconfig="contig"),
        "has 5 channels",
    ),
    "two.tif": (
        tiff(np.zeros((6, 5, 2), np.uint16), photometric="minisblack", planarconfig="contig"),
        "has 2 channels",
    ),
    "colours_first.tif": (
        tiff(np.zeros((3, 6, 5), np.uint16), photometric="minisblack"),
        "3 pages",
    ),
    "lossless.jpg": (jpeg_frame(0xC3), "is a lossless JPEG"),
    "deep.jpg": (jpeg_frame(0xC1, 12), "JPEG of 12 bits"),
    "a.jxl": (b"\xff\x0a" + bytes(30), "is JPEG XL"),
    "a.psd": (b"8BPS" + bytes(30), "is a Photoshop file"),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_a_file_is(photo, name):
    data, says = KINDS[name]
    with pytest.raises(ValueError, match=says) as told:
        photo(data, name)
    assert name in str(told.value) and "damaged" not in str(told.value)


@pytest.mark.parametrize("name", several())
def test_of_several_pictures_one_is_asked_for(tmp_path, name):
    (tmp_path / name).write_bytes(several()[name])
    with pytest.raises(ValueError, match=r"holds 2 pages or pictures.*page=1"):
        read(tmp_path / name)
    one, two = (read(tmp_path / name, page).pixels for page in (1, 2))
    assert one.shape == two.shape == RGB.shape
    assert torch.equal(one, two) == (name == "deep_pages.tif")
    with pytest.raises(ValueError, match="no page=3"):
        read(tmp_path / name, 3)


def test_smaller_copies_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        writer.write(values(), photometric="rgb")
        writer.write(values()[::2, ::2], photometric="rgb", subfiletype=1)
    assert read(tmp_path / "x.tif").pixels.shape == RGB.shape


def test_a_raw_file_is_developed_where_rawpy_is(photo, monkeypatch):
    developed = (values().astype(np.uint16) * 257, {})

    class Raw:
        sizes = SimpleNamespace(width=20, height=16)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def postprocess(self, **settings):
            developed[1].update(settings)
            return developed[0]

    monkeypatch.setitem(sys.modules, "rawpy", SimpleNamespace(imread=lambda path: Raw()))
    monkeypatch.setattr("gdp.picture.codec.raw.find_spec", lambda name: name)
    got = photo(b"FUJIFILMCCD-RAW 0201" + bytes(99), "x.raf")
    assert got.depth == 16 and developed[1]["output_bps"] == 16
    torch.testing.assert_close(got.pixels, RGB)


def test_premultiplied_grey(tmp_path):
    grey = np.full((6, 5, 2), 255, np.uint8)
    grey[..., 1] = 128
    grey[..., 0] = 64  # half of what shows through
    (tmp_path / "x.tif").write_bytes(
        tiff(grey, photometric="minisblack", planarconfig="contig", extrasamples=["assocalpha"])
    )
    got = read(tmp_path / "x.tif")
    assert float(got.pixels.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(got.alpha.mean()) == pytest.approx(128 / 255, abs=0.01)


@pytest.mark.parametrize(
    ("scaled", "says"),
    [
        (lambda x: x * 2 - 1, r"\(x \+ 1\) / 2"),
        (lambda x: x * 4 - 2, r"\(x / 1\.[0-9]+ \+ 1\) / 2|\(x / 2 \+ 1\) / 2"),
        (lambda x: x * 1.55, "divide them by their white"),
        (lambda x: x * 255, "divide them by their white"),
    ],
)
def test_floats_of_another_scale_are_told_which(scaled, says):
    """A photo without deep shadows, too, whose least value is above -0.6."""
    x = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0)) * 0.7 + 0.3
    for photo in (scaled(x), scaled(x).permute(1, 2, 0).numpy()):
        with pytest.raises(ValueError, match=says):
            gdp.restore(photo, task="sr4", steps=1)


def test_noise_may_leave_the_range():
    x = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    noisy = x + 0.15 * torch.randn(3, 24, 32, generator=torch.Generator().manual_seed(1))
    assert gdp.restore(noisy, task="denoise", sigma_y=0.15, steps=1).image.shape == noisy.shape


def test_a_ring_of_pages_ends(photo):
    page = b"\x01\x00" + b"\x00\x01\x03\x00\x01\x00\x00\x00\x05\x00\x00\x00"
    with pytest.raises(ValueError, match=r"ring\.tif"):
        photo(b"II*\0\x08\0\0\0" + page + b"\x08\0\0\0", "ring.tif")
