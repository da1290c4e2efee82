"""What is undone before a task of its own: a file's compression, noise of unknown colours."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import gdp
from gdp.compose.configuration import compose
from gdp.compose.parts import build_all
from gdp.picture import to_image
from gdp.restore.several import chain
from operators.auto import FromPhoto
from operators.light import Light
from tests.compose.test_tasks import blocks
from tests.photos import astronaut


def saved(path, light, quality=60):
    """A photo in `light` times its light, of little contrast, as a file."""
    pixels = (light * (0.1 + 0.8 * to_image(astronaut(96))[0])).clamp(0, 1)
    array = (255 * pixels).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(array).save(path, **({"quality": quality} if path.suffix == ".jpg" else {}))
    return path


@pytest.fixture
def looks(monkeypatch):
    """The operators of all looks at photos, with their names."""
    operators, observe = [], chain.observe

    def observed(photo, setup, device, name, *more):
        operators.append((name, setup.operator))
        return observe(photo, setup, device, name, *more)

    monkeypatch.setattr(chain, "observe", observed)
    return operators


@pytest.mark.parametrize("task", ["exposure", "auto"])
def test_what_is_brightened_has_no_compression_first(task, tmp_path, looks):
    dark = saved(tmp_path / "dark.jpg", 0.12)
    out = gdp.restore(dark, task=task)
    names, operators = zip(*looks, strict=True)
    assert names == ("dark.jpg", "dark.jpg (jpeg)", "dark.jpg")
    assert isinstance(operators[2], Light) and operators[2].found is not None

    # The report tells the stage, its calls, and what was found in the file.
    (stage,) = out.report["stages"]
    assert stage["task"] == "jpeg" and stage["nfe"] > 1 and out.report["nfe"] >= 1
    assert (task == "auto") == (out.report["found"] != [])
    if task == "auto":
        assert "JPEG" in out.report["found"][0] and "dark" in out.report["found"][0]

    plain = gdp.restore(dark, task=task, jpeg="off")
    assert plain.report["stages"] is None
    before, after = blocks(plain.pixels[0, 0]), blocks(out.pixels[0, 0])
    assert before > 1.15 and after < 1 + 0.6 * (before - 1)


def test_light_that_was_surely_too_weak_is_found_in_what_comes_out(tmp_path, looks):
    gdp.restore(saved(tmp_path / "dark.jpg", 0.12), task="lowlight")
    assert [name for name, _ in looks] == ["dark.jpg (jpeg)", "dark.jpg"]
    assert looks[1][1].found is None


@pytest.mark.parametrize(("task", "light"), [("exposure", 1.4), ("auto", 1.0), ("auto", 0.5)])
def test_what_is_not_brightened_is_looked_at_once(task, light, tmp_path, looks):
    file = saved(tmp_path / "light.jpg", light)
    assert gdp.restore(file, task=task).report["stages"] is None
    assert [name for name, _ in looks] == ["light.jpg"]


def test_the_first_look_decides(tmp_path, looks, monkeypatch):
    """What comes out of the first stage may seem less dark: it is brightened as much."""
    dark, through_one = saved(tmp_path / "dark.jpg", 0.12), chain.through_one
    plain = gdp.restore(dark, task="auto", jpeg="off").pixels.median()

    def brighter(photo, *more):
        photo, told = through_one(photo, *more)
        return photo._replace(pixels=1.5 * photo.pixels), told

    monkeypatch.setattr(chain, "through_one", brighter)
    looks.clear()
    out = gdp.restore(dark, task="auto")
    assert isinstance(looks[0][1], FromPhoto) and isinstance(looks[2][1], Light)
    assert "brighten" in out.report["found"][1] and out.pixels.median() > 1.25 * plain


@pytest.mark.parametrize("task", ["exposure", "lowlight"])
def test_fine_tables_leave_nothing_to_undo(task, tmp_path):
    for quality, stages in ((95, 1), (98, 0)):
        file = saved(tmp_path / f"{quality}.jpg", 0.12, quality)
        assert len(gdp.restore(file, task=task).report["stages"] or []) == stages


def test_samples_have_the_light_that_was_found(tmp_path):
    dark = saved(tmp_path / "dark.jpg", 0.12)
    two = gdp.restore(dark, task="exposure", samples=2)
    one = gdp.restore(dark, task="exposure")
    assert two.pixels.shape[:2] == (1, 2) and two.report["operator"]["f"] == pytest.approx(
        one.report["operator"]["f"], rel=0.02
    )


@pytest.mark.parametrize("task", ["lowlight", "exposure", "auto"])
def test_compression_is_not_undone_where_it_is_told_or_of_frames(task):
    assert build_all(*composed(task)).decoded is not None
    for word in ("jpeg=off", "noise=white", "video=true", "degrade=true"):
        assert build_all(*composed(task, word)).decoded is None


def composed(task, *words):
    """A configuration, and its choices."""
    return compose(f"task={task}", *words), {"task": task}


def test_exposures_of_a_scene_are_taken_as_they_are(tmp_path):
    files = [saved(tmp_path / f"{k}.jpg", light, 90) for k, light in enumerate((0.15, 0.4))]
    out = gdp.restore(files, task="lowlight", operator="exposures", scene=True)
    assert out.report["stages"] is None


def test_noise_goes_before_a_cast_and_texture_stays(tmp_path):
    cast = torch.tensor([1.0, 0.8, 0.55]).view(3, 1, 1)
    hair = torch.from_numpy(data.astronaut()[208:304, 208:304].copy()).permute(2, 0, 1) / 255
    clean = cast * (0.1 + 0.8 * hair)
    noisy = clean + 0.05 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for name, pixels in (("clean.png", clean), ("noisy.png", noisy)):
        array = (255 * pixels.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(array).save(tmp_path / name)

    def mended(name, **settings):
        out = gdp.restore(tmp_path / name, task="whitebalance", **settings)
        seen = out.pixels[0, 0] * torch.tensor(out.report["operator"]["gains"]).view(3, 1, 1)
        return out, float((seen - clean).square().mean().sqrt())

    # Its own stage takes noise away, and takes a clean photo's texture for none.
    out, error = mended("noisy.png")
    (stage,) = out.report["stages"]
    assert stage["task"] == "denoise" and stage["nfe"] > 0 and error < 0.4 * 0.05
    assert mended("clean.png")[1] < 0.003

    # The file as it is, is what a result is compared with, and drawn back to.
    given = torch.from_numpy(np.array(Image.open(tmp_path / "noisy.png"))).permute(2, 0, 1) / 255
    assert torch.allclose(out.y[0], given, atol=1e-4)
    back = gdp.restore(tmp_path / "noisy.png", task="whitebalance", strength=0.0)
    assert torch.allclose(back.pixels[0, 0], given, atol=1e-4)
    assert mended("noisy.png", sigma_y=0.05)[0].report["stages"] is None
