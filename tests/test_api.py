"""Restoration from Python: kinds in and out, settings, objects, threads, and nothing global
touched.
"""

import logging
import os
import random
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from PIL import Image

import gdp
from gdp import cli as program
from gdp.compose.configuration import compose
from gdp.picture import arrays
from gdp.prior.schedule import Schedule
from gdp.storage.places import CONF
from operators.base import Operator
from operators.identity import Identity
from samplers.base import Sampler
from samplers.ddnm import DDNM


@pytest.fixture(scope="module")
def prior():
    return gdp.load_prior("photo64", device="cpu")


@pytest.fixture
def quick(prior):
    """restore() in two steps on the bundled prior."""

    def call(photo, **settings):
        steps = (
            {}
            if "sampler" in settings and isinstance(settings["sampler"], Sampler)
            else {"steps": 2}
        )
        return gdp.restore(
            photo, **{"task": "denoise", "sigma_y": 0.1, "prior": prior, **steps, **settings}
        )

    return call


def test_every_kind_gives_the_same_picture(quick, cat):
    picture = Image.open(cat).convert("RGB")
    eight = np.asarray(picture)
    tensor = torch.from_numpy(eight / 255).permute(2, 0, 1).float()
    of_path, of_pil, of_bytes = quick(cat).image, quick(picture).image, quick(eight).image
    assert (
        isinstance(of_path, Image.Image)
        and isinstance(of_pil, Image.Image)
        and of_bytes.dtype == np.uint8
    )
    assert (np.asarray(of_path) == of_bytes).all() and (np.asarray(of_pil) == of_bytes).all()
    of_sixteen, of_floats, of_tensor = (
        quick(eight.astype(np.uint16) * 257).image,
        quick(eight / 255).image,
        quick(tensor).image,
    )
    assert (
        of_sixteen.dtype == np.uint16
        and of_floats.dtype == np.float64
        and of_tensor.shape == (3, 20, 24)
    )
    assert (
        np.abs(of_sixteen / 65535 - of_bytes / 255).max() < 0.6 / 255
        and np.abs(of_floats - of_bytes / 255).max() < 0.6 / 255
    )
    torch.testing.assert_close(
        of_tensor, torch.from_numpy(of_floats).permute(2, 0, 1).float(), atol=1e-5, rtol=0
    )
    half = quick(torch.stack([tensor, tensor.flip(-1)]).double(), samples=2)
    assert (
        half.image.shape == (2, 3, 20, 24)
        and half.image.dtype == torch.float64
        and half.std.shape == (2, 1, 20, 24)
    )
    torch.testing.assert_close(half.image[0].float(), of_tensor, atol=2e-3, rtol=0)
    assert (
        len(half.reports) == 2 and len(half.samples) == 2 and half.report["samples"]["count"] == 2
    )


def test_shapes_of_arrays(quick):
    grey = np.random.default_rng(0).random((12, 16)).astype(np.float32)
    assert quick(grey).image.shape == (12, 16, 3) and quick(grey[..., None]).image.shape == (
        12,
        16,
        3,
    )
    clear = np.dstack(
        [grey, grey, grey, np.linspace(0, 1, 16, dtype=np.float32)[None].repeat(12, 0)]
    )
    result = quick(clear, task="sr4", operator={"r": 2})
    assert (
        result.image.shape == (24, 32, 4)
        and result.image[..., 3].min() < 0.05 < 0.95 < result.image[..., 3].max()
    )
    wide = arrays.source_of(clear, frame=(1, 2, 3, 4)).photos[0].alpha  # of outpainting
    assert wide.shape[-2:] == (19, 19) and wide[0, 0, 0, 0] == 1 and wide[0, 0, 3, 1] == 0
    see_through = quick(Image.fromarray((clear * 255).astype(np.uint8)))
    assert see_through.image.mode == "RGBA"
    frozen = np.asarray(Image.new("RGB", (16, 12), "red"))
    assert quick(frozen).image.shape == (12, 16, 3)


def test_settings_are_those_of_the_command_line(quick, cat):
    nested = quick(
        cat, task="sr4", operator={"r": 2}, sampler={"schedule": {"steps": 3}}, steps=None
    )
    dotted = quick(cat, task="sr4", **{"operator.r": 2, "sampler.schedule.steps": 3}, steps=None)
    assert (
        nested.image.size == (48, 40) and nested.report["nfe"] == 3 and nested.image == dotted.image
    )
    assert nested.report["config"]["operator"] == dotted.report["config"]["operator"]
    assert (
        nested.report["choices"]["task"] == "sr4" and "operator.r=2" in nested.report["overrides"]
    )
    blurred = quick(cat, operator="blur_motion", **{"operator.kernel.angle": 30})
    assert (
        blurred.report["config"]["operator"]["kernel"]["angle"] == 30
        and blurred.report["choices"]["operator"] == "blur_motion"
    )
    fog = quick(
        cat,
        operator="custom",
        **{"operator._target_": "tests.test_api.Fog", "+operator.density": np.float32(0.5)},
    )
    assert fog.report["config"]["operator"] == {"_target_": "tests.test_api.Fog", "density": 0.5}


def test_like_the_command_line(prior, cat, tmp_path, monkeypatch):
    words = [
        "task=sr4",
        "sigma_y=0.02",
        "steps=2",
        "device=cpu",
        f"input={cat}",
        f"output={tmp_path / 'o'}",
    ]
    monkeypatch.setattr(sys, "argv", ["run.py", *words])
    assert program.main() == 0
    ours = gdp.restore(cat, task="sr4", sigma_y=0.02, steps=2, prior=prior).image
    with Image.open(tmp_path / "o" / "cat.png") as theirs:
        assert (np.asarray(theirs.convert("RGB")) == np.asarray(ours)).all()


class Fog(Operator):
    """For tests."""

    def __init__(self, density=0.3):
        super().__init__()
        self.density = density

    def forward(self, x):
        return (1 - self.density) * x + self.density


def test_objects(quick, cat):
    fog, sampler = Fog(), DDNM(schedule=Schedule(steps=2))
    result = quick(cat, operator=fog)
    assert result.report["choices"]["operator"] == "Fog" and result.report["config"][
        "operator"
    ] == {"_target_": "tests.test_api.Fog"}
    assert fog.sigma_y == 0.0 and not list(fog.parameters())
    ddnm = quick(cat, operator=Identity(), sampler=sampler)
    assert (
        ddnm.image == quick(cat, sampler="ddnm").image
        and ddnm.report["config"]["sampler"]["_target_"] == "samplers.ddnm.DDNM"
    )
    with pytest.raises(TypeError, match="which Fog does not have"):
        quick(cat, operator=fog, sampler=sampler)
    with pytest.raises(ValueError, match="schedule of its own"):
        quick(cat, sampler=sampler, steps=3)
    for wrong in ({"operator": torch.nn.ReLU()}, {"sampler": 3}, {"prior": 3}):
        with pytest.raises(TypeError):
            quick(cat, **wrong)


def test_masks_and_first_pictures(quick, cat, mask_file):
    white = np.asarray(Image.open(mask_file))
    of_file = quick(cat, task="inpaint", mask=mask_file, sigma_y=0.0).image
    masks = (
        white,
        white > 0,
        white / 255,
        torch.from_numpy(white > 0)[None],
        Image.open(mask_file),
    )
    assert all(quick(cat, task="inpaint", mask=m, sigma_y=0.0).image == of_file for m in masks)
    result = quick(cat, task="inpaint", mask=white, sigma_y=0.0)
    assert (
        result.report["config"]["mask"] == "<30x20 pixels>"
        and "mask=<30x20 pixels>" in result.report["overrides"]
    )
    red = np.zeros((20, 24, 3), np.uint8)
    red[..., 0] = 250
    started = quick(
        cat,
        init=red,
        sampler="ddnm",
        sigma_y=0.3,
        noise="white",
        **{"sampler.schedule.start": 0.02},
    ).image
    assert (
        np.asarray(started, float)[..., 0].mean() > np.asarray(started, float)[..., 1].mean() + 60
    )
    assert quick(cat, init=red).report["config"]["sampler"]["schedule"]["start"] == "auto"


def test_scene(quick, cat):
    photo = np.asarray(Image.open(cat).convert("RGB"))
    result = quick([photo, photo // 3], task="hdr", sigma_y="auto")
    assert (
        result.image.shape == (20, 24, 3)
        and result.light.shape == (20, 24, 3)
        and len(result.report["operator"]["f"]) == 2
    )
    for wrong in (photo, [photo], [photo, photo[:10]]):
        with pytest.raises((ValueError, TypeError)):
            quick(wrong, task="hdr", sigma_y="auto")
    with pytest.raises(TypeError, match="only task='hdr' takes"):
        quick([photo, photo])


def test_what_was_found(quick, cat):
    result = quick(cat, task="dehaze", sigma_y="auto")
    assert (
        result.found["transmission"].shape == (20, 24)
        and 0 < result.report["operator"]["airlight"][0] <= 1.5
    )


def test_steps_are_told_and_may_stop(quick, cat):
    seen = []
    quick(cat, steps=3, on_step=lambda done, total, x0: seen.append((done, total, tuple(x0.shape))))
    assert seen == [(k, 3, (1, 3, 20, 24)) for k in (1, 2, 3)]
    seen.clear()
    two, watch = torch.rand(2, 3, 8, 8), lambda done, total, x0: seen.append((done, total, len(x0)))
    together = quick(two, on_step=watch)
    assert seen == [(1, 2, 2), (2, 2, 2)]  # they share the network's calls
    seen.clear()
    apart = quick(two, on_step=watch, batch=1)
    assert seen == [(k, 4, 1) for k in (1, 2, 3, 4)]
    # A network in bfloat16 rounds to 2^-9, and one photo not as two do.
    apart_by = 1e-4 if os.environ["GDP_DTYPE"] == "float32" else 4e-3
    torch.testing.assert_close(apart.image, together.image, atol=apart_by, rtol=0)
    seen.clear()
    quick(cat, on_step=watch, batch=1, samples=2)
    assert seen == [(k, 4, 1) for k in (1, 2, 3, 4)]

    def stop(done, total, x0):
        raise StopIteration("enough")

    with pytest.raises(StopIteration, match="enough"):
        quick(cat, on_step=stop)


def test_a_bar_of_all_calls(quick, cat, capsys):
    seen = []
    quick(cat, steps=3, samples=2, progress=True, on_step=lambda *step: seen.append(step[:2]))
    shown = capsys.readouterr().err
    assert "100%" in shown and "33%" in shown and seen[-1] == (3, 3)

    quick(cat, steps=3)
    assert capsys.readouterr().err == ""


def test_saving(quick, cat, tmp_path):
    clear = Image.open(cat).convert("RGBA")
    clear.putalpha(Image.new("L", clear.size, 100))
    result = quick(clear)
    assert result.save(tmp_path / "r.png") == tmp_path / "r.png"
    with Image.open(tmp_path / "r.png") as saved:
        assert saved.mode == "RGBA" and (np.asarray(saved) == np.asarray(result.image)).all()
    result.save(str(tmp_path / "r.jpg"), quality=80)
    deep = quick(np.asarray(clear.convert("RGB")).astype(np.uint16) * 257)
    deep.save(tmp_path / "deep.tif")
    from tifffile import imread

    assert imread(tmp_path / "deep.tif").dtype == np.uint16
    assert {p.name for p in tmp_path.iterdir()} == {"r.png", "r.jpg", "deep.tif", "cat.png"}
    for wrong in ("r.xyz", "r"):
        with pytest.raises(ValueError, match="written as"):
            result.save(tmp_path / wrong)
    with pytest.raises(ValueError, match="batch"):
        quick(torch.rand(2, 3, 8, 8)).save(tmp_path / "two.png")


def test_a_notebook_shows_it(quick, cat):
    shown = quick(cat)._repr_png_()
    assert shown[:8] == b"\x89PNG\r\n\x1a\n" and re.fullmatch(
        r"Result\(24x20, consistency .*, \d+\.\d s\)", repr(quick(cat))
    )
    assert quick(torch.rand(3, 3, 8, 8))._repr_png_()[16:24] == b"\0\0\0\x18\0\0\0\x08"


WRONG = {
    "setting": ({"stepz": 3}, ValueError, "did you mean steps"),
    "inner setting": ({"sampler": {"etta": 1}}, ValueError, "sampler.etta"),
    "task": ({"task": "sr5"}, ValueError, "did you mean sr4"),
    "sampler": ({"sampler": "ddmn"}, ValueError, "ddnm"),
    "prior": ({"prior": "foto64"}, ValueError, "did you mean photo64"),
    "noise": ({"sigma_y": -1}, ValueError, "sigma_y=-1"),
    "output": ({"output": "o"}, ValueError, "result.save"),
    "value": ({"seed": object()}, TypeError, "seed= got a object"),
    "no mask": ({"task": "inpaint"}, ValueError, "mask=FILE"),
    "black mask": ({"task": "inpaint", "mask": np.zeros((4, 4))}, ValueError, "no white"),
    "mask of colours": (
        {"task": "inpaint", "mask": np.ones((4, 4, 3))},
        ValueError,
        r"\(4, 4, 3\)",
    ),
    "mask of text": ({"task": "inpaint", "mask": 3}, TypeError, "mask= is a int"),
    "small init": ({"init": np.zeros((4, 4, 3))}, ValueError, "24x20"),
    "interpolation": (
        {"task": "inpaint", "mask": "${seed}.png"},
        FileNotFoundError,
        r"\$\{seed\}.png",
    ),
    "device": ({"prior": "photo64", "device": "nonsense"}, ValueError, "not at hand"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings(quick, cat, case):
    settings, kind, says = WRONG[case]
    with pytest.raises(kind, match=says) as refused:
        quick(cat, **settings)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400


PHOTOS = {
    "no file": ("none.png", FileNotFoundError),
    "text": (object(), TypeError),
    "shape": (np.zeros((3, 20, 24)), ValueError),
    "integers": (np.zeros((8, 8, 3), np.int32), TypeError),
    "255": (np.full((8, 8, 3), 255.0), ValueError),
    "NaN": (np.full((8, 8, 3), np.nan), ValueError),
    "empty": (np.zeros((0, 8, 3)), ValueError),
    "bytes": (torch.zeros(3, 8, 8, dtype=torch.uint8), TypeError),
    "channels": (torch.zeros(4, 8, 8), ValueError),
    "infinite": (torch.full((3, 8, 8), torch.inf), ValueError),
}


@pytest.mark.parametrize("case", PHOTOS)
def test_wrong_photos(quick, case):
    photo, kind = PHOTOS[case]
    with pytest.raises(kind) as refused:
        quick(photo)
    assert "\n" not in str(refused.value)


def test_priors(cat, tmp_path):
    by_settings = gdp.load_prior({"name": "photo64", "dtype": "float32"}, device="cpu")
    assert next(by_settings.parameters()).dtype == torch.float32
    for wrong in (
        "foto64",
        tmp_path / "none.safetensors",
        {"path": str(tmp_path / "w.pt")},
        {"name": "photo64", "dtype": "int8"},
    ):
        with pytest.raises((ValueError, OSError)):
            gdp.load_prior(wrong, device="cpu")


def test_two_threads_two_settings(prior, cat):
    """As one after the other, with a prior that they share; a blind operator hooks into it."""
    jobs = [
        {"task": "lowlight", "steps": 3},
        {"task": "sr4", "sigma_y": 0.05, "steps": 2, "samples": 2, "seed": 3},
        {"task": "denoise", "sampler": "ddnm", "sigma_y": 0.2, "steps": 3, "tiling": "none"},
        dict(task="deblur_blind", steps=3, **{"operator.size": 5}),
    ]
    ready = threading.Barrier(len(jobs))

    def work(settings):
        ready.wait()
        return gdp.restore(cat, prior=prior, **settings)

    alone = [gdp.restore(cat, prior=prior, **settings) for settings in jobs]
    calls = prior.calls
    with ThreadPoolExecutor(len(jobs)) as pool:
        together = list(pool.map(work, jobs))
    for a, b in zip(alone, together, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(a.pixels, b.pixels, strict=True))
        assert a.report["nfe"] == b.report["nfe"] and a.report["operator"] == b.report["operator"]
    assert prior.calls == calls and not prior._forward_hooks


def test_the_callers_hydra_survives(tmp_path):
    (tmp_path / "mine.yaml").write_text("own: 3\n")
    with initialize_config_dir(str(tmp_path), version_base="1.2"):
        mine = GlobalHydra.instance().hydra
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda k: compose(f"seed={k}").seed, range(12)))
        assert made == list(range(12))
        assert GlobalHydra.instance().hydra is mine and hydra_compose("mine").own == 3
    before = GlobalHydra.instance().hydra
    compose("task=sr4")
    assert GlobalHydra.instance().hydra is before and (CONF / "config.yaml").is_file()


def test_nothing_global_changes(quick, cat, capfd):
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    handlers, level = list(logging.getLogger().handlers), logging.getLogger("gdp").level
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    quick(cat, task="lowlight", sigma_y=0.02)
    assert (
        torch.equal(torch.get_rng_state(), states[0])
        and (np.random.get_state()[1] == states[1]).all()
    )
    assert random.getstate() == states[2] and torch.is_grad_enabled()
    assert (
        logging.getLogger().handlers == handlers
        and logging.getLogger("gdp").level == level
        and not capfd.readouterr().out
    )


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_inside_any_grad_mode(quick, cat, mode):
    with mode():
        tensor = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1))
        grad = torch.is_grad_enabled()
        inside = quick(tensor, sampler="dps", task="deblur")
        assert torch.is_grad_enabled() == grad and not inside.image.requires_grad
    assert torch.equal(inside.image, quick(tensor, sampler="dps", task="deblur").image)


def test_a_photo_is_not_changed(quick):
    array, tensor = (
        np.random.default_rng(1).random((8, 8, 3), np.float32),
        torch.rand(3, 8, 8, requires_grad=True),
    )
    kept, held = array.copy(), tensor.detach().clone()
    quick(array)
    assert (
        not quick(tensor).image.requires_grad
        and (array == kept).all()
        and torch.equal(tensor, held)
    )


def test_import_is_light():
    code = (
        "import sys, time; from time import perf_counter as now; a = now(); import gdp; b = now(); "
        "light = 'torch' not in sys.modules; import torch; c = now(); gdp.restore; d = now(); "
        "print(light, b - a, c - b, d - c, gdp.Result.__name__, 'restore' in dir(gdp))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    alone, torchs, rest = (float(word) for word in said[1:4])
    assert (
        said[0] == "True"
        and said[4:] == ["Result", "True"]
        and alone < torchs / 2
        and rest < torchs
    ), (alone, torchs, rest)
    with pytest.raises(AttributeError):
        _ = gdp.nothing
