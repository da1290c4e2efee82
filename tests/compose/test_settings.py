"""The table of settings: defaults, what is accepted, what is refused in which words, and --help."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import gdp
from gdp.compose.building import build
from gdp.compose.configuration import compose, compose_settings
from gdp.compose.refusal import validate
from gdp.compose.settings import COSMETIC, FILES_ONLY, PATHS, SETTINGS
from gdp.storage.places import CONF

ROOT = Path(__file__).parents[2]

ACCEPTED = {
    "input": ["a.png", ["a.png", "b.png"], None],
    "recursive": [True, False],
    "output": ["o"],
    "format": ["png", "same", None],
    "image_quality": [1, 100],
    "depth": [8, 16, 32, None],
    "keep_exif": [True],
    "page": [1, 12, None],
    "mask": ["m.png", "masks", None],
    "mask_invert": [True, False],
    "init": ["i.png", None],
    "reference": ["truth.png", "truths", None],
    "degrade": [True],
    "sigma_y": [0, 0.05, 1, "auto"],
    "jpeg": ["auto", "off"],
    "noise": ["auto", "camera", "flat.png"],
    "poisson": [9, 0.5, None],
    "impulse": [0, 0.5],
    "scene": [True],
    "strength": [0, 1, 0.25],
    "quality": ["fast", "balanced", "best", None],
    "detail": [0, 0.5, 1, None],
    "steps": [1, 1000, None],
    "reuse": [1, 3, None],
    "colourfix": ["none", "wavelet", "adain"],
    "samples": [1, 8],
    "seed": [0, -1, 2**40, 2**63 - 1],
    "device": ["auto", "cpu", 0, ["cuda:0", "cuda:1"]],
    "engine": ["local", "ray"],
    "address": [None, "auto", "ray://head:10001"],
    "actors": ["auto", 1, 64],
    "num_cpus": [1, 0.5],
    "num_gpus": ["auto", 0, 0.5, 1],
    "devices": [None, "all"],
    "metric": [None, "psnr"],
    "batch": [1, "auto"],
    "checkpoint": [2, 0.5, None],
    "preview": [30, None],
    "report": [False],
    "force": [True],
    "overwrite": [True],
    "verbose": [True],
    "save": [["y", "reference", "restored"], ["samples", "compare"], [], None],
    "compare": [False],
    "dataset": ["kodak24", None],
    "data": ["data", "/sets"],
    "count": [1, 50000],
    "label": [0, 207, [207, 360], None],
    "eta": [0, 0.5, 1],
    "logger": ["csv", "tensorboard", "wandb", "mlflow", None],
    "runs": ["runs"],
    "log": ["text", "json"],
    "stage_one": ["net.pth", None],
    "fidelity": [0, 0.5, 1],
    "before": [["colorize"], None],
    "holes": ["auto", "patches", "smooth"],
    "video": [True, False],
    "adapt": [0, 30],
}
REFUSED = {
    "save": ["y", ["x"], ["y", 3], 5],
    "compare": ["maybe"],
    "dataset": [3],
    "data": [None, 5],
    "count": [0, "many"],
    "engine": ["slurm", None],
    "address": [5],
    "actors": [0, 1.5, "many"],
    "num_cpus": [0, "auto"],
    "num_gpus": [-1, "all"],
    "devices": ["two", 2],
    "metric": [5],
    "label": ["cat", [1.5]],
    "eta": [-1, 2],
    "logger": ["file", True],
    "runs": [None, 5],
    "log": ["xml", None],
    "stage_one": ["", 5],
    "fidelity": [-0.1, 1.5, "high"],
    "before": ["colorize", [3]],
    "holes": ["telea", None],
    "adapt": [-1, 1.5, "some", True, None],
    "input": ["", 5, ["a.png", 5], {"a": 1}, True],
    "output": ["", " ", None, 5, ["o"], True],
    "mask": ["", [], 5, True],
    "init": ["", ["i.png"], 0.5],
    "seed": ["random", "abc", None, 2**63, 2**64, -(2**63) - 1, 1.5, True],
    "page": [0, -1, 1.5, "all", True],
    "recursive": ["maybe", 7],
    "image_quality": [0, 101, 9.5],
    "depth": [12],
    "keep_exif": ["perhaps"],
    "sigma_y": [-0.1, 1.5, True, "some", None],
    "jpeg": [90, True],
    "noise": [None, 0.1],
    "poisson": [0, "many", float("inf"), float("nan")],
    "impulse": [1, -0.1],
    "strength": [1.5, True, "half"],
    "quality": ["good", 3],
    "detail": [-0.1, 1.5, "much"],
    "samples": [0, 1.5, True],
    "reuse": [0, True],
    "batch": [0, "many"],
    "checkpoint": [0, "soon"],
    "preview": [0, "often"],
    "overwrite": ["maybe", 7],
}


def with_value(name, value):
    """A configuration in which one setting has this value."""
    cfg = compose()
    cfg._set_flag("allow_objects", True)
    cfg[name] = value
    return cfg


def test_every_setting_is_tried_here():
    assert set(ACCEPTED) == set(SETTINGS)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted_keeps_its_type(name):
    for value in ACCEPTED[name]:
        cfg = with_value(name, value)
        validate(cfg)
        assert cfg[name] == value and type(cfg[name]) is type(cfg[name])
        if isinstance(value, int | float):  # strength=1 stays a whole number: fingerprints hold it
            assert type(cfg[name]) is type(value)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    for value in REFUSED[name]:
        with pytest.raises(ValueError, match=rf"^{name}={re.escape(str(value))}; "):
            validate(with_value(name, value))


@pytest.mark.parametrize(
    ("word", "value"), [("yes", True), ("no", False), ("on", True), ("OFF", False)]
)
def test_words_of_truth_are_what_they_say(word, value):
    cfg = compose(f"overwrite={word}")
    validate(cfg)
    assert cfg.overwrite is value


def test_the_defaults_are_those_of_the_table():
    cfg = compose("task=sr4")
    for name, setting in SETTINGS.items():
        if name != "output":  # holds the date
            assert cfg[name] == setting.default, name


def test_the_yaml_has_no_setting_of_its_own():
    words = yaml.safe_load((CONF / "config.yaml").read_text())
    assert set(words) == {"defaults", "hydra"}


def test_help_lists_every_setting():
    command = [sys.executable, "run.py", "--help"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = " ".join(text.split("== Settings ==")[1].split())
    for name, setting in SETTINGS.items():
        assert re.search(rf"(^| ){name}=", listed), name
        assert " ".join(setting.help.split()) in listed and setting.kind in listed, name


def test_what_is_of_files_is_no_keyword_in_python():
    assert {"input", "output", "overwrite", "preview", "checkpoint"} <= set(FILES_ONLY)
    for name in FILES_ONLY:
        with pytest.raises(ValueError, match=rf"^{name}= is of the command line"):
            gdp.restore("none.png", **{name: SETTINGS[name].default})


def test_what_leaves_the_numbers_as_they_are():
    cosmetic = (
        "input recursive output verbose preview overwrite device batch checkpoint report force "
        "save compare dataset data count label eta logger runs log "
        "engine address actors num_cpus num_gpus devices metric"
    )
    assert set(COSMETIC) == set(cosmetic.split())


def test_paths_name_files():
    others = {"init", "noise", "reference", "data", "runs", "stage_one"}
    assert set(PATHS) == {"input", "output", "mask"} | others


@pytest.mark.parametrize("name", ["sampler.schedule", "sampler.guidance"])
@pytest.mark.parametrize("value", ["", "maybe", 5, 1.5, None])
def test_a_part_is_no_plain_value(name, value):
    with pytest.raises(ValueError, match=rf"{name}=.*settings of its own"):
        build(*compose_settings({"task": "denoise", name: value}))
