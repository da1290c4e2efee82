"""What photos bring and results have, through the whole program."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.odd_files import encoded, exif, icc_srgb, values
from gdp import cli as program
from gdp.picture import read
from gdp.picture.codec.png16 import png16
from tests.picture.codec.files import SOUND, loaded


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
    assert got.pixels.shape[-2:] == (80, 64) == got.alpha.shape[-2:]
    assert got.depth == 16
    assert got.icc == icc_srgb()
    assert loaded(got.exif).get_ifd(0x8769)[0xA002] == 64
    small = torch.nn.functional.avg_pool2d(got.alpha, 4)
    assert float((small - read("a.png").alpha).abs().max()) < 0.08
    words = ("task=outpaint", "operator.margins=[0,0,4,8]", "output=out", "format=tiff", "depth=32")
    assert restore("input=a.png", *words) == 0
    wide = read("out/a.tiff")
    assert wide.depth == 32 and tuple(wide.alpha.shape[-2:]) == (20, 28)
    assert torch.equal(wide.alpha[..., :4], torch.ones(1, 1, 20, 4))
    assert torch.equal(wide.alpha[..., 4:20], read("a.png").alpha)
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
    assert restore("input=in/**/[ab]*.gif", "output=g", "task=denoise", "sigma_y=0.1") == 0
    assert Path("g/deep/a.png").is_file()
    capsys.readouterr()
    Path("o2").mkdir()
    Path("o2/deep").symlink_to("../in")
    assert restore("input=in", "recursive=true", "output=o2", "task=denoise", "sigma_y=0.1") == 2
    assert "outside" in capsys.readouterr().err
    assert sorted(p.name for p in Path("in").iterdir())[:2] == ["a.JPG", "deep"]
