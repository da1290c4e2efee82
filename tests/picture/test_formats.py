"""Formats, modes and depths of picture files, and what of a photo is on its result: alpha, colour profile, EXIF, orientation."""

import io
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from benchmarks.odd_files import bombs, encoded, exif, icc_cmyk, icc_grey, icc_srgb, sound, values
from gdp import cli as program
from gdp.picture import picture_of, read_mask
from gdp.picture.alpha import extend_alpha, fill_transparent, resize_alpha
from gdp.picture.codec.formats import KINDS, check_output, check_result, suffix_for
from gdp.picture.codec.png16 import png16
from gdp.picture.codec.read import read
from gdp.picture.codec.write import warn_once, write
from gdp.picture.photo import Photo

SOUND = sound()
RGB = torch.from_numpy(values() / 255).float().permute(2, 0, 1)[None]
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
DEEP = values(4).astype(np.uint16) * 257 + 5


@pytest.fixture
def photo(tmp_path):
    """Reads a file of these bytes."""

    def of(data: bytes, name: str = "x.png") -> Photo:
        (tmp_path / name).write_bytes(data)
        return read(tmp_path / name)

    return of


@pytest.fixture(autouse=True)
def _told_nothing_yet():
    warn_once.cache_clear()


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


def test_sixteen_bits_are_sixteen(photo):
    want = torch.from_numpy((DEEP[..., :3] / 65535).astype(np.float32)).permute(2, 0, 1)[None]
    for data, name in (
        (png16(DEEP[..., :3]), "x.png"),
        (tiff(DEEP[..., :3]), "x.tif"),
        (tiff(DEEP[..., :3], byteorder=">"), "x.tif"),
    ):
        torch.testing.assert_close(photo(data, name).pixels, want)
    torch.testing.assert_close(
        photo(png16(DEEP[..., :1])).pixels, want[:, :1].expand(-1, 3, -1, -1)
    )
    twelve = encoded(Image.fromarray(DEEP[..., 0] >> 4), "PNG")
    assert photo(twelve).depth == 16


def tiff(array, **settings) -> bytes:
    """An RGB TIFF."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, photometric="rgb", **settings)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", range(10))
def test_orientation_is_pillows_at_any_depth(photo, orientation):
    want = photo(encoded(Image.fromarray(values()), "PNG", exif=exif(orientation)))
    deep = values().astype(np.uint16) * 257
    tagged = tiff(deep, extratags=[(274, 3, 1, orientation, True)])
    for got in (photo(png16(deep, exif=exif(orientation))), photo(tagged, "x.tif")):
        torch.testing.assert_close(got.pixels, want.pixels)
    assert tuple(want.pixels.shape[-2:]) == ((20, 16) if orientation in (5, 6, 7, 8) else (16, 20))
    assert (
        want.exif is not None
        and 0x0112 not in loaded(want.exif)
        and loaded(want.exif)[0x010F] == "Maker"
    )


def loaded(data: bytes) -> Image.Exif:
    """EXIF that was bytes."""
    found = Image.Exif()
    found.load(data)
    return found


@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_under_transparency_does_not_bleed(photo, depth):
    hidden, other = (values(4).copy() for _ in range(2))
    for array, colour in ((hidden, (255, 0, 255)), (other, (0, 255, 0))):
        array[..., 3] = 200
        array[4:12, 5:15] = (*colour, 0)
    files = [
        encoded(Image.fromarray(a), "PNG") if depth == 8 else png16(a.astype(np.uint16) * 257)
        for a in (hidden, other)
    ]
    one, two = (photo(data) for data in files)
    assert torch.equal(one.pixels, two.pixels) and torch.equal(one.alpha, two.alpha)
    seen = one.alpha[0, 0] > 0
    torch.testing.assert_close(
        one.pixels[0][:, seen],
        torch.from_numpy(hidden[..., :3] / 255).float().permute(2, 0, 1)[:, seen],
    )
    around, filled = one.pixels[0][:, seen], one.pixels[0][:, ~seen]
    assert (
        float(filled.min()) >= float(around.min()) - 1e-6
        and float(filled.max()) <= float(around.max()) + 1e-6
    )
    assert float((one.pixels.diff(dim=-1)).abs().max()) < 0.25


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_spread_leaves_what_is_seen(h, w, seed):
    rng = torch.Generator().manual_seed(seed)
    pixels, alpha = (
        torch.rand(1, 3, h, w, generator=rng),
        (torch.rand(1, 1, h, w, generator=rng) * 2 - 1).clamp(0),
    )
    out = fill_transparent(pixels, alpha)
    assert torch.equal(
        torch.where(alpha > 0, out, 0 * out), torch.where(alpha > 0, pixels, 0 * pixels)
    )
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    torch.testing.assert_close(
        fill_transparent(torch.full_like(pixels, 0.3), alpha),
        torch.full_like(pixels, 0.3 if bool((alpha > 0).any()) else 0.5),
    )


def test_alpha_comes_back_at_the_results_size(photo, tmp_path):
    like = photo(SOUND["rgba.png"])
    alpha = like.alpha
    write(like.pixels, tmp_path / "same.png", like)
    assert torch.equal(read(tmp_path / "same.png").alpha, alpha)
    write(torch.rand(1, 3, 64, 80), tmp_path / "big.png", like)
    big = read(tmp_path / "big.png")
    assert (
        big.alpha.shape == (1, 1, 64, 80)
        and float((torch.nn.functional.avg_pool2d(big.alpha, 4) - alpha).abs().max()) < 0.08
    )
    assert extend_alpha(alpha, None) is alpha and extend_alpha(alpha, (1, 2, 3, 4)).shape == (
        1,
        1,
        23,
        23,
    )
    assert float(extend_alpha(alpha, (1, 2, 3, 4))[0, 0, 0, 0]) == 1 and resize_alpha(
        alpha, 3, 2
    ).shape == (
        1,
        1,
        3,
        2,
    )


@pytest.mark.parametrize("suffix", ["jpg", "bmp"])
def test_alpha_is_on_white_where_there_is_none(photo, tmp_path, suffix, caplog):
    like = photo(SOUND["clear.png"])
    for _ in range(2):
        write(torch.zeros(1, 3, 16, 20), tmp_path / f"x.{suffix}", like)
    assert (
        float(read(tmp_path / f"x.{suffix}").pixels.min()) > 0.98
        and caplog.text.count("white") == 1
    )


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
        assert found.get_ifd(0x8769)[0xA002] == 32 and found.get_ifd(0x8769)[
            0x829A
        ] == pytest.approx(0.01)
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
    assert (
        got.depth == depth
        and got.grey == grey
        and got.icc == like.icc
        and (got.alpha is None) == (clear is None)
    )
    if clear is not None:
        torch.testing.assert_close(got.alpha, clear, atol=1e-6, rtol=0)


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


def test_refusals(tmp_path):
    for settings_, says in (
        (("gif", 95, None), "format=gif"),
        ((None, 0, None), "image_quality=0"),
        ((None, True, None), "image_quality"),
        (("jpg", 95, 16), "choose format=png"),
        (("png", 95, 32), "choose format=tiff"),
        ((None, 95, 12), "depth=12"),
    ):
        with pytest.raises(ValueError, match=says):
            check_output(*settings_)
    for fine in ((None, 95, None), ("same", 1, 32), ("tiff", 100, 32), ("png", 50, 16)):
        check_output(*fine)
    with pytest.raises(ValueError, match="16383 pixels"):
        check_result(".webp", None, 10, 20000)
    with pytest.raises(ValueError, match="written as"):
        write(RGB, tmp_path / "x.gif")
    with pytest.raises(ValueError, match="depth=16"):
        write(RGB, tmp_path / "x.jpg", depth=16)
    assert not list(tmp_path.iterdir())


def test_the_suffix_of_a_result():
    for name, format_, want in (
        ("a.JPG", None, ".png"),
        ("a.JPG", "same", ".jpg"),
        ("a.gif", "same", ".png"),
        ("a.heic", "same", ".png"),
        ("a.tiff", "same", ".tiff"),
        ("a.png", "tiff", ".tiff"),
        ("a", "webp", ".webp"),
    ):
        assert suffix_for(Path(name), format_) == want
    assert (
        suffix_for(Path("a.tiff"), "same", scene=True)
        == suffix_for(Path("a.png"), "tiff", scene=True)
        == ".tif"
    )


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


def test_a_mask_painted_on_transparency(tmp_path):
    mask = Image.new("RGBA", (8, 6), (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (2, 2, 5, 4))
    mask.save(tmp_path / "m.png")
    assert float((1 - read_mask(str(tmp_path / "m.png"))).sum()) == 6
    Image.fromarray(np.pad(np.full((2, 3), 65535, np.uint16), 3)).save(tmp_path / "deep.png")
    assert float((1 - read_mask(str(tmp_path / "deep.png"))).sum()) == 6


@pytest.fixture
def restore(tmp_path, monkeypatch):
    """Runs run.py in this process, in an empty folder; its exit code."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["run.py", "output=o", "steps=1", *words])
        return program.main()

    return call


def test_the_command_line_keeps_what_the_photo_has(restore, tmp_path):
    Path("a.png").write_bytes(png16(values(4).astype(np.uint16) * 257, icc_srgb(), exif(6)))
    assert restore("input=a.png", "task=sr4", "keep_exif=true") == 0
    got = read("o/a.png")
    assert (
        got.pixels.shape[-2:] == (80, 64) == got.alpha.shape[-2:]
        and got.depth == 16
        and got.icc == icc_srgb()
    )
    assert loaded(got.exif).get_ifd(0x8769)[0xA002] == 64
    assert (
        float((torch.nn.functional.avg_pool2d(got.alpha, 4) - read("a.png").alpha).abs().max())
        < 0.08
    )
    assert (
        restore(
            "input=a.png",
            "task=outpaint",
            "operator.margins=[0,0,4,8]",
            "output=out",
            "format=tiff",
            "depth=32",
        )
        == 0
    )
    wide = read("out/a.tiff")
    assert wide.depth == 32 and tuple(wide.alpha.shape[-2:]) == (20, 28)
    assert torch.equal(wide.alpha[..., :4], torch.ones(1, 1, 20, 4)) and torch.equal(
        wide.alpha[..., 4:20], read("a.png").alpha
    )
    Path("b.png").write_bytes(encoded(Image.fromarray(values(4)[:15, :19]), "PNG"))
    assert restore("input=b.png", "task=sr4", "degrade=true", "output=d") == 0
    assert torch.equal(read("d/b.png").alpha, read("b.png").alpha[..., 1:13, 1:17])


def test_formats_of_the_command_line(restore, capsys):
    Path("in/deep").mkdir(parents=True)
    Path("in/a.JPG").write_bytes(SOUND["rgb.jpg"])
    Path(os.fsdecode(b"in/\xff\n.png")).write_bytes(SOUND["one.png"])
    Path("in/deep/a.gif").write_bytes(SOUND["palette.gif"])
    assert restore("input=in", "recursive=true", "format=same", "task=denoise", "sigma_y=0.1") == 0
    made = sorted(str(p.relative_to("o")) for p in Path("o").rglob("*") if p.is_file())
    assert made == [
        "__.compare.png",
        "__.json",
        "__.png",
        "a.compare.png",
        "a.jpg",
        "a.json",
        "deep/a.compare.png",
        "deep/a.json",
        "deep/a.png",
        "index.html",
        "summary.csv",
    ]
    assert set(capsys.readouterr().out.split()) == {f"o/{name}" for name in made}
    assert restore("input=in", "format=same", "task=denoise", "sigma_y=0.2") == 2
    assert "o/a.jpg exists" in capsys.readouterr().err
    for words, says in (
        ("format=gif", "format=gif"),
        ("image_quality=0", "image_quality"),
        ("depth=32", "format=tiff"),
    ):
        assert restore("input=in/a.JPG", words, "output=none") == 2
        assert says in capsys.readouterr().err and not Path("none").exists()
    assert (
        restore("input=in/**/[ab]*.gif", "output=g", "task=denoise", "sigma_y=0.1") == 0
        and Path("g/deep/a.png").is_file()
    )
    capsys.readouterr()
    Path("o2").mkdir()
    Path("o2/deep").symlink_to("../in")
    assert restore("input=in", "recursive=true", "output=o2", "task=denoise", "sigma_y=0.1") == 2
    assert "outside" in capsys.readouterr().err and sorted(p.name for p in Path("in").iterdir())[
        :2
    ] == ["a.JPG", "deep"]


def test_a_missing_codec_is_named(photo):
    if find_spec("imagecodecs"):
        pytest.skip("imagecodecs is installed")
    packed = bytearray(tiff(DEEP[..., :3]))
    at = packed.index(b"\x03\x01\x03\x00\x01\x00\x00\x00\x01\x00")
    packed[at + 8] = 5  # says LZW
    with pytest.raises(ValueError, match="imagecodecs"):
        photo(bytes(packed), "x.tif")


def test_heic_is_named(tmp_path):
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(ValueError, match=r"x\.heic is (HEIC|damaged)"):
        read(tmp_path / "x.heic")
