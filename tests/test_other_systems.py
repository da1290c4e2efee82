"""The program where there is less than on Linux: as on Windows and on macOS, pretended."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What each system lacks. filelock and platformdirs bring ways of their own, and are loaded before.
LACKS = {
    "Windows": (
        "resource fcntl termios pwd grp",
        "sched_getaffinity fork getuid geteuid sysconf sysconf_names getloadavg nice",
    ),
    "macOS": ("", "sched_getaffinity"),
}

SCRIPT = """
import importlib, importlib.util, os, pathlib, pkgutil, shutil, signal, sys
import filelock, platformdirs, torch, numpy, scipy.fft, PIL.Image, hydra, tqdm  # theirs

system, modules, names = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
for name in modules:
    sys.modules[name] = None
for name in names:
    if hasattr(os, name):
        delattr(os, name)
if system == "Windows":
    del signal.SIGHUP
    shutil._use_fd_functions = False

    def opened(path, flags, *mode, real=os.open, **more):  # no folder can be opened there
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, *mode, **more)

    os.open = opened

def read(self, *more, real=pathlib.Path.read_text, **other):  # there is no /proc, no /sys
    if str(self).startswith(("/proc", "/sys")):
        raise FileNotFoundError(2, "No such file", str(self))
    return real(self, *more, **other)

pathlib.Path.read_text = read
sys.platform = {"Windows": "win32", "macOS": "darwin"}[system]

import gdp, operators, samplers
for package in (gdp, operators, samplers):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        absent = found.name.startswith("gdp.studio") and not importlib.util.find_spec("gradio")
        own = found.name.endswith(("__main__", "kernels.triton", "triton_backward"))
        if not absent and not own:
            importlib.import_module(found.name)

from gdp.storage import files
files.WINDOWS = system == "Windows"
from gdp import cli
sys.argv = ["run.py", "task=denoise", "input=photos", "output=out", "steps=1", "device=cpu"]
sys.exit(cli.main())
"""


@pytest.mark.parametrize("system", LACKS)
def test_everything_is_imported_and_a_folder_restored(system, tmp_path, cat):
    photos = tmp_path / "photos"
    photos.mkdir()
    cat.rename(photos / "Kätzchen, klein.png")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, system, *LACKS[system]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GDP_KERNELS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-1500:]
    report = json.loads((tmp_path / "out" / "Kätzchen, klein.json").read_text())
    assert report["peak_memory_mb"] is None or system == "macOS"
    assert not (tmp_path / "out" / ".gdp").exists()
