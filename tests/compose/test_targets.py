"""The current folder is asked for a `_target_` that is found nowhere else, and for nothing more."""

import sys
from pathlib import Path

import pytest

from gdp.compose.configuration import make
from gdp.compose.targets import targets
from tests.test_cli import cli  # noqa: F401


def test_targets_of_nested_settings():
    node = {"_target_": "a.B", "x": [{"_target_": "c.D"}, 1], "y": {"path": "e.f", "z": "g"}}
    assert list(targets(node)) == ["a.B", "c.D", "e.f"]


def test_no_code_of_the_photos_folder_is_run(cli, cat):  # noqa: F811
    """Not what is called as a plugin of Hydra's, nor as a library that is looked for."""
    Path("hydra_plugins").mkdir()
    for name in ("hydra_plugins/evil.py", "olefile.py", "imagecodecs.py", "pillow_heif.py"):
        Path(name).write_text(f"open('PWNED', 'a').write({name!r})\nraise ImportError")
    code, _, err = cli(f"input={cat}", "task=denoise", "sigma_y=0.1", "steps=1", "output=o")
    assert code == 0, err
    assert not Path("PWNED").exists()


def test_a_target_beside_the_photos(cli, cat):  # noqa: F811
    Path("helper.py").write_text("GAIN = 0.5\n")
    Path("mine.py").write_text(
        "import helper\nfrom operators.base import LinearOperator\n"
        "class Half(LinearOperator):\n"
        "    def forward(self, x):\n        return helper.GAIN * x\n"
    )
    words = ("operator=custom", f"input={cat}", "steps=1", "output=o")
    before = list(sys.path)
    assert cli(*words, "operator._target_=mine.Half")[0] == 0
    assert sys.path == before

    Path("broken.py").write_text("1 / 0\n")
    code, _, err = cli(*words, "operator._target_=broken.Half")
    assert code == 2 and "ZeroDivisionError" in err and len(err.strip().splitlines()) == 1


def test_what_is_installed_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "colorsys.py").write_text("raise SystemExit('the wrong file')\n")
    assert make({"_target_": "colorsys.rgb_to_hsv", "r": 0, "g": 0, "b": 1})[2] == 1
    with pytest.raises(ValueError, match="nowhere"):
        make({"_target_": "nowhere.Thing"})
