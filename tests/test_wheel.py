"""What `pip install` gives: a wheel with the settings, the bundled prior and the sample in it,
which works from any folder.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import OPERATORS, SAMPLERS, TASKS

ROOT = Path(__file__).parents[1]
PARTS = (
    "setup.py",
    "setup.cfg",
    "README.md",
    "LICENSE",
    "run.py",
    "conf",
    "gdp",
    "operators",
    "samplers",
)
API = """
import gdp, runpy
from gdp.storage.places import SAMPLE
gdp.restore(SAMPLE, task="denoise", steps=1).save("api.png")
print(gdp.__file__)
runpy.run_module("run", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder that pip installed the wheel into, as in site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, folder / "source" / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            (folder / "source").mkdir(exist_ok=True)
            shutil.copy(ROOT / part, folder / "source" / part)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run(
        [
            *pip,
            "wheel",
            *offline,
            "--no-build-isolation",
            "-w",
            folder / "wheels",
            folder / "source",
        ],
        check=True,
    )
    (wheel,) = (folder / "wheels").glob("*.whl")
    subprocess.run(
        [*pip, "install", *offline, "--no-compile", "--target", folder / "site", wheel], check=True
    )
    return folder / "site"


def test_the_wheel(installed, tmp_path):
    """Its files, its console script, gdp.restore, and `python -m run`."""
    for group, names in (
        ("operator", OPERATORS),
        ("sampler", SAMPLERS),
        ("task", [*TASKS, "doctor", "sample"]),
    ):
        assert {f"{name}.yaml" for name in names} == {
            file.name for file in (installed / "gdp" / "conf" / group).iterdir()
        }
    assert (installed / "gdp" / "prior" / "bundled" / "photo64.safetensors").is_file() and not (
        installed / "conf"
    ).exists()
    stray = installed / "operators" / "light" / "stray"
    assert {file.suffix for file in stray.iterdir() if file.is_file()} == {".py", ".safetensors"}
    elsewhere = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["steps=1", "task=denoise"]
    for k, command in enumerate(
        ([sys.executable, installed / "bin" / "gdp"], [sys.executable, "-c", API])
    ):
        done = subprocess.run(
            [*command, *words, f"output=o{k}"],
            cwd=tmp_path,
            env=elsewhere,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert {file.name for file in (tmp_path / f"o{k}").iterdir()} >= {
            "cat.png",
            "cat.json",
            "index.html",
        }
    assert (
        Path(done.stdout.splitlines()[0]) == installed / "gdp" / "__init__.py"
        and (tmp_path / "api.png").is_file()
    )
