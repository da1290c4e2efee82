"""Every operator on the command line with degrade=true: restored, saved, reported."""

import json
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from gdp import cli as program
from gdp.picture import picture_of
from operators.base import AffineOperator, LinearOperator
from operators.coded.sensing import WalshHadamard
from tests.conftest import OPERATORS, operator_of

NEEDS = {
    "clip": ["force=true"],  # descent ends below what is clipped, and is refused
    "custom": ["operator._target_=operators.identity.Identity"],
    "outpaint": ["operator.margins=4"],
}
HARD = {"clip", "phase"}  # three steps take them less far
INEXACT = {  # besides blurs: exposures contradict each other, JPEG rounds, a curve is no tangent
    *("deepinv", "exposure", "exposures", "blind_blur", "small_photo"),
}


@pytest.fixture
def photo(tmp_path) -> Path:
    """32x32: the least that block sensing takes."""
    with Image.open(
        Path(__file__).parents[2] / "gdp" / "picture" / "samples" / "cat.png"
    ) as picture:
        picture.crop((8, 8, 40, 40)).save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


def report_of(monkeypatch, tmp_path, *words) -> dict:
    """The report of one photo restored in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py", "output=o", "steps=3", *map(str, words)])
    assert program.main() == 0
    return json.loads(Path("o/cat.json").read_text())


@pytest.mark.parametrize("name", OPERATORS)
def test_restores_and_saves(name, monkeypatch, tmp_path, photo, mask_file):
    linear = isinstance(operator_of(name, mask_file), LinearOperator | AffineOperator)
    sampler = "ddnm" if linear else "gdp_linesearch"
    words = (
        f"operator={name}",
        f"sampler={sampler}",
        f"input={photo}",
        f"mask={mask_file}",
        "degrade=true",
        *NEEDS.get(name, []),
    )
    report = report_of(monkeypatch, tmp_path, *words)
    assert report["size"] == [32, 32] == list(Image.open("o/cat.png").size)
    sheet = Image.open("o/cat.compare.png")
    assert sheet.height > 32 and sheet.width >= 2 * 32
    assert report["scores"]["psnr"] > (4 if name in HARD else 10) and report["consistency"] < (
        0.5 if name in HARD else 0.25
    )
    exact = not name.startswith("blur") and name not in INEXACT
    if linear and exact:
        assert report["consistency"] < 1e-4


@pytest.mark.parametrize(
    "matrix, channels",
    [("[[0.5,0.3,0.2],[0,0.5,0.5]]", 2), ("[[1,0,0],[0,1,0],[0,0,1],[0.3,0.3,0.4]]", 4)],
)
def test_two_and_four_channels(monkeypatch, tmp_path, photo, matrix, channels):
    report = report_of(
        monkeypatch,
        tmp_path,
        "operator=mixing",
        f"operator.matrix={matrix}",
        f"input={photo}",
        "degrade=true",
    )
    assert report["consistency"] < 1e-4
    assert Image.open("o/cat.compare.png").height > 32
    picture = picture_of(torch.ones(1, channels, 4, 4))
    assert picture.mode == "RGB" and picture.getpixel((0, 0)) == (
        255,
        255,
        0 if channels == 2 else 255,
    )


def test_what_was_drawn_is_reported(monkeypatch, tmp_path, photo):
    facts = report_of(
        monkeypatch, tmp_path, "operator=walsh_hadamard", f"input={photo}", "degrade=true", "seed=3"
    )["operator"]
    assert facts == WalshHadamard(seed=3).describe(torch.zeros(1, 3, 32, 32))
    assert facts["seed"] == 3 and facts["seen"] == 256 and len(facts["permutation_sha256"]) == 64


def test_old_photo_on_the_command_line(monkeypatch, tmp_path, photo, mask_file):
    words = ("task=oldphoto", f"input={photo}", "degrade=true", "sigma_y=0", "overwrite=true")
    sheets = []
    for extra in (
        [],
        [f"mask={mask_file}"],
        ["operator.r=2"],
        [f"mask={mask_file}", "operator.r=2"],
    ):
        report = report_of(monkeypatch, tmp_path, *words, *extra)
        assert report["size"] == [32, 32] and report["consistency"] < 1e-4
        sheets.append(Path("o/cat.compare.png").read_bytes())
    assert len(set(sheets)) == 4


def test_old_photo_of_a_real_one(monkeypatch, tmp_path, photo, mask_file):
    report = report_of(
        monkeypatch,
        tmp_path,
        "task=oldphoto",
        f"input={photo}",
        f"mask={mask_file}",
        "operator.r=2",
    )
    assert report["size"] == [64, 64]
