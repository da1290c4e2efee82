"""Tasks in a row: what is one problem, what is done in turn, and what is refused."""

import json

import pytest
import torch
from PIL import Image

import gdp
from gdp import cli
from gdp.cli.words import read_line
from gdp.compose.tasks import chained, chained_words
from tests.photos import astronaut


@pytest.mark.parametrize(
    ("task", "given", "expected"),
    [
        ("denoise,colorize", {}, {"task": "colorize", "sigma_y": "auto"}),
        ("denoise,colorize", {"sigma_y": 0.1}, {"task": "colorize"}),
        ("jpeg,denoise,sr4", {}, {"task": "smallphoto", "sigma_y": "auto"}),
        ("jpeg,sr4", {"operator": "avgpool"}, {"task": "sr4"}),
        ("jpeg,deblur", {}, {"task": "deblur"}),
        ("colorize,sr4", {}, {"task": "sr4", "before": ["colorize"]}),
        ("denoise,colorize, sr4", {}, {"task": "sr4", "before": ["colorize"], "sigma_y": "auto"}),
        ("colorize,denoise", {}, {"task": "denoise", "before": ["colorize"]}),
    ],
)
def test_what_a_row_stands_for(task, given, expected):
    assert chained(task, given) == expected


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("sr4,colourise", "no task named 'colourise'"),
        ("auto,sr4", "auto stands alone"),
        ("sr4,", "no task named ''"),
    ],
)
def test_what_is_no_row(task, words):
    with pytest.raises(ValueError, match=words):
        chained(task, {})


def test_words_of_the_line():
    assert chained_words(["task=colorize,sr4", "seed=1"]) == [
        "seed=1",
        "task=sr4",
        "before=[colorize]",
    ]
    assert read_line(["task=sr4,denoise", "-m"]).words[-1] == "task=sr4,denoise"  # a sweep
    assert chained_words(["task=sr4"]) == ["task=sr4"]


def test_each_task_has_its_own_noise(cat):
    """The photo's noise is the first task's; the next sees a result, without any."""
    photo = torch.rand(3, 12, 16) * 0.2 + 0.4
    out = gdp.restore(photo, task="colorize,sr4", sigma_y=0.1, **{"operator.r": 2}, steps=2)
    assert out.image.shape == (3, 24, 32)
    (stage,) = out.report["stages"]
    assert stage["task"] == "colorize"
    assert stage["sigma_y"] == pytest.approx(0.1)
    assert out.report["sigma_y"] < 0.01
    alone = gdp.restore(photo, task="colorize", sigma_y=0.1, steps=2)
    assert torch.allclose(out.found["1-colorize"][0], alone.image[0].clamp(0, 1), atol=1e-5)


def test_intermediate_results_are_files(tmp_path, cat, monkeypatch):
    words = ["task=colorize,sr4", f"input={cat}", f"output={tmp_path / 'o'}", "steps=2"]
    monkeypatch.setattr("sys.argv", ["run.py", *words, "operator.r=2"])
    assert cli.main() == 0
    with Image.open(tmp_path / "o" / "cat.1-colorize.png") as stage:
        assert stage.size == (24, 20)
    with Image.open(tmp_path / "o" / "cat.png") as result:
        assert result.size == (48, 40)
    report = json.loads((tmp_path / "o" / "cat.json").read_text())
    assert [stage["task"] for stage in report["stages"]] == ["colorize"]
    assert ".1-colorize.png" in report["files"]


def test_what_cannot_be_in_a_row(cat):
    with pytest.raises(ValueError, match="degrade=true makes y by one operator"):
        gdp.restore(cat, task="colorize,sr4", degrade=True)
    with pytest.raises(ValueError, match="'colorise' cannot go before; did you mean"):
        gdp.restore(cat, task="sr4", before=["colorise"])


def blocks(pixels):
    """How much steeper a picture [3, H, W] is at the edges of a codec's blocks than within them."""
    step = pixels.mean(0).diff(dim=1).abs().mean(0)
    at = torch.arange(len(step)) % 8
    return float(step[at == 7].mean() / step[(at > 1) & (at < 5)].mean())


def test_light_brings_no_blocks_out(tmp_path):
    dark = (astronaut(96)[0] * 0.25).clamp(0, 1)
    array = (255 * dark).round().byte().permute(1, 2, 0).numpy()
    for name, settings in (("dark.jpg", {"quality": 60}), ("dark.png", {})):
        Image.fromarray(array).save(tmp_path / name, **settings)

    def lit(name, **settings):
        return gdp.restore(tmp_path / name, **({"task": "lowlight"} | settings))

    out, plain = lit("dark.jpg"), lit("dark.jpg", jpeg="off")
    assert [stage["task"] for stage in out.report["stages"]] == ["jpeg"]
    before, after = blocks(plain.pixels[0, 0]), blocks(out.pixels[0, 0])
    assert before > 1.15 and after < 1 + 0.6 * (before - 1)
    row = lit("dark.jpg", task="jpeg,lowlight")
    assert torch.equal(row.pixels, out.pixels)

    # What came from no such file, or is said not to have, is taken as it is.
    for other in (plain, lit("dark.png"), lit("dark.jpg", noise="white")):
        assert other.report["stages"] is None
