"""What comes after sampling, from the command line: strength, light, remarks, own losses."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import gdp
from gdp.compose.configuration import compose
from gdp.compose.parts import build_all
from gdp.picture import read, to_image
from gdp.restore.noise import NoiseModel
from tests.operators.light.photos import photo as light_photo
from tests.operators.light.test_sure import WARM, scene
from tests.photos import astronaut
from tests.test_cli import cli, files  # noqa: F401


def test_strength(cli, cat):  # noqa: F811
    for strength in (1, 0.25, 0):
        assert (
            cli(
                "task=denoise",
                f"input={cat}",
                f"output=o{strength}",
                f"strength={strength}",
                "steps=3",
            )[0]
            == 0
        )
    full, part, none, given = (
        read(f).pixels for f in ("o1/cat.png", "o0.25/cat.png", "o0/cat.png", cat)
    )
    torch.testing.assert_close(part, given + 0.25 * (full - given), atol=0.02, rtol=0)
    assert torch.equal(none, given)
    assert cli("task=sr4", f"input={cat}", "output=o4", "strength=0", "steps=3")[0] == 0
    code, _, err = cli("task=denoise", f"input={cat}", "output=p", "strength=1.5")
    assert code == 2 and "strength=1.5" in err


def test_noise_that_was_found_may_be_texture_and_what_is_told_not():
    white = NoiseModel.white(0.03)
    coloured = replace(white, spectrum=white.spectrum * torch.linspace(2, 1, 32))
    for words, doubted in (
        (["task=auto"], True),
        (["task=denoise"], True),
        (["task=denoise", "noise=camera"], False),
        (["task=denoise", "video=true"], False),
        (["task=sr4"], False),
    ):
        setup = build_all(compose(*words))
        assert setup.doubts(coloured.is_flat) == doubted, words
        assert setup.doubts(white.is_flat) == (words == ["task=auto"]), words


def test_auto_takes_a_sure_cast_out(cli, tmp_path):  # noqa: F811
    """What explains the photo is the result before that."""
    photo = (255 * scene() * WARM).clamp(0, 255).round()
    Image.fromarray(photo[0].byte().permute(1, 2, 0).numpy()).save(tmp_path / "warm.png")
    for strength in (1, 0.5):
        words = ("task=auto", "input=warm.png", f"output=o{strength}", f"strength={strength}")
        assert cli(*words)[0] == 0
    report = json.loads(Path("o1/warm.json").read_text())
    assert report["consistency"] < 0.02
    assert "take its colour cast away by" in report["found"][1]

    warm, half, mended = (
        read(f).pixels.double() for f in ("warm.png", "o0.5/warm.png", "o1/warm.png")
    )
    red, _, blue = (mended / warm.clamp_min(0.1))[0].flatten(1).median(1).values
    assert red < 0.93 and blue > 1.07
    torch.testing.assert_close(half, (warm + mended) / 2, atol=0.003, rtol=0.0)


def test_hdr_writes_a_picture_and_floats(cli, tmp_path):  # noqa: F811
    x = to_image(astronaut(32))
    for name, stops in (("a", 2), ("b", 0), ("c", -2)):
        f = 2 ** (stops / 2.2)
        Image.fromarray((255 * (f * x[0]).clamp(max=1)).byte().permute(1, 2, 0).numpy()).save(
            tmp_path / f"{name}.png"
        )
    code, out, _ = cli(
        "task=hdr", "input=[a.png,b.png,c.png]", "output=o", "steps=3", "report=false"
    )
    assert (
        code == 0
        and files("o") == ["a.compare.png", "a.json", "a.png", "a.tiff"]
        and "o/a.tiff" in out
    )
    from tifffile import imread

    light = imread("o/a.tiff")
    assert (
        light.dtype == np.float32
        and light.shape == (32, 32, 3)
        and np.isfinite(light).all()
        and light.min() >= 0
    )
    report = json.loads(Path("o/a.json").read_text())
    found = report["operator"]
    assert found["stops"] == [2, 0, -2] and found["f"] == [4, 1, 0.25]
    code, _, err = cli("task=hdr", "input=a.png", "output=p")
    assert code == 2 and "2 to 7" in err and not Path("p").exists()
    code, _, err = cli("task=hdr", "input=[a.png,b.png,c.png]", "output=o", "steps=3")
    assert code == 0 and "finished before" in err
    code, _, err = cli("task=hdr", "input=[a.png,b.png]", "output=o", "steps=3")
    assert code == 2 and "exists" in err


def test_black_astronaut(cli, tmp_path):  # noqa: F811
    Image.new("RGB", (32, 32)).save(tmp_path / "black.png")
    code, _, err = cli("task=lowlight", "input=black.png", "output=o", "steps=3")
    assert code == 2 and "black" in err and not list(tmp_path.glob("o/*"))


@pytest.mark.parametrize(
    "task, word",
    [("exposure", "light is good"), ("dehaze", "no haze"), ("oldphoto", "no scratches")],
)
def test_nothing_to_mend_is_said(cli, task, word):  # noqa: F811
    Image.fromarray(data.coffee()[100:164, 200:264]).save("good.png")
    code, _, err = cli(f"task={task}", "input=good.png", "output=o", "steps=3")
    assert code == 0 and word in err


def test_own_loss(cli, cat, tmp_path):  # noqa: F811
    Path("mine.py").write_text(
        "def flat(x0, y, A):\n"
        "    return (x0 - x0.mean((1, 2, 3), True)).square().flatten(1).sum(1)\n"
    )
    for weight in (0, 100):
        term = f"+guidance.terms.mine=[{weight}.0,{{_target_: mine.flat,_partial_: true}}]"
        words = ("task=denoise", "noise=white", f"input={cat}", f"output=o{weight}", "steps=5")
        assert cli(*words, term)[0] == 0
    assert read("o100/cat.png").pixels.std() < 0.9 * read("o0/cat.png").pixels.std()


def test_terms_are_reported_and_one_that_fights_the_photo_is_named(cli, cat):  # noqa: F811
    words = ("guidance=quality", "sampler=gdp_x0", f"input={cat}", "steps=8", "degrade=true")
    said, noisy = {}, ("task=denoise", "sigma_y=0.015")
    for weight, of in ((0.3, ("task=sr4",)), (3000, noisy), (30, ("task=sr4",))):
        term = f"guidance.terms.total_variation.0={weight}"
        code, _, said[weight] = cli(*words, *of, term, f"output=o{weight}")
        assert code == 0
        terms = json.loads(Path(f"o{weight}/cat.json").read_text())["guidance"]
        assert terms.keys() == {"fidelity", "total_variation"}
        tv = terms["total_variation"]
        assert tv["weight"] == weight and tv["start"] > 0 and tv["end"] > 0
    assert "total_variation (weight 3000) fights the photo" in said[3000]
    assert "fights" not in said[0.3]
    assert tv["end"] < 0.9 * tv["start"]

    assert cli("task=sr4", f"input={cat}", "steps=3", "output=p")[0] == 0
    assert json.loads(Path("p/cat.json").read_text())["guidance"] is None


def test_what_auto_found_is_in_the_report(cli, tmp_path):  # noqa: F811
    """Of a JPEG as well, whose compression becomes a part of the degradation."""
    x = (255 * to_image(astronaut(48))[0]).byte().permute(1, 2, 0).numpy()
    Image.fromarray(x).save(tmp_path / "a.jpg", quality=30)
    assert cli("task=auto", "input=a.jpg", "output=o", "steps=2")[0] == 0
    found, done, left = json.loads(Path("o/a.json").read_text())["found"]
    assert found.startswith("found: 48x48") and "JPEG" in found
    assert done.startswith("to do: ") and "it is small" in left

    assert cli("task=sr4", "input=a.jpg", "output=p", "steps=2")[0] == 0
    assert json.loads(Path("p/a.json").read_text())["found"] == []


@pytest.mark.parametrize("degrade", [False, True])
@pytest.mark.parametrize(
    "task, told",
    [
        ("deblur_blind", {"operator.kernel": torch.ones(1, 1)}),
        ("dehaze", {"operator.transmission": 0.999}),
    ],
)
def test_where_no_blur_or_haze_is_found_the_network_is_not_called(task, told, degrade):
    """Also where the photo was to be degraded by what comes to nothing."""
    pixels = to_image(astronaut(96)) if task == "deblur_blind" else light_photo("chelsea", 128)
    told = {**told, "sigma_y": 0.0} if degrade else {}
    result = gdp.restore(pixels, task=task, degrade=degrade, **told)
    torch.testing.assert_close(result.pixels[0], result.y, atol=1e-6, rtol=0)
    assert result.reports[0]["nfe"] == 0
