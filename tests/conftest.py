"""What the tests share."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.compose.configuration import compose, make
from gdp.storage.places import CONF

# Results are compared by numbers, so every machine computes in one type: GDP_DTYPE chooses another.
os.environ.setdefault("GDP_DTYPE", "float32")
torch.set_num_threads(1)  # tensors here are small: threads would only wait for one another

OPERATORS = sorted(p.stem for p in (CONF / "operator").glob("*.yaml"))
SAMPLERS = sorted(p.stem for p in (CONF / "sampler").glob("*.yaml"))
TASKS = sorted({p.stem for p in (CONF / "task").glob("*.yaml")} - {"doctor", "sample"})


def operator_of(name: str, mask: Path):
    """The operator of a YAML, with what it cannot do without; a test is skipped where its library
    is not installed.
    """
    if name == "deepinv":
        pytest.importorskip(name)
    extra = ["operator._target_=operators.identity.Identity"] if name == "custom" else []
    return make(compose(f"operator={name}", f"mask={mask}", *extra).operator)


def sampler_of(name: str, steps: int = 20, *overrides: str):
    """The sampler of a YAML."""
    sampler = make(
        compose(f"sampler={name}", f"sampler.schedule.steps={steps}", *overrides).sampler
    )
    if hasattr(
        sampler, "gradient_point"
    ):  # GDP as released: the pull it has at its own size, and at its own number of steps unless v1
        sampler.scale *= 8 * 8 / (256 * 256) * (1 if name.endswith("v1") else 1000 / steps)
    return sampler


@pytest.fixture(autouse=True)
def leave_no_modules(monkeypatch):
    """A test's own modules and its entry in sys.path end with it: the next test may call its file
    the same.
    """
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("TQDM_DISABLE", "")  # noted, and as it was after a test that sets it
    monkeypatch.delenv("TQDM_DISABLE")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "/pytest-of-" in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


@pytest.fixture(scope="session")
def mask_file(tmp_path_factory) -> Path:
    """A mask of another size than any photo: white in the middle."""
    file = tmp_path_factory.mktemp("mask") / "mask.png"
    pixels = np.zeros((20, 30), np.uint8)
    pixels[5:12, 10:22] = 255
    Image.fromarray(pixels).save(file)
    return file


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of numeric fixtures, from GDP_FIXTURES."""
    folder = os.environ.get("GDP_FIXTURES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GDP_FIXTURES names no folder of fixtures")
    return Path(folder)


@pytest.fixture(scope="session")
def photo64():
    """The bundled prior."""
    return make(compose("prior=photo64", "device=cpu").prior)


@pytest.fixture
def cat(tmp_path) -> Path:
    """A 24x20 photo."""
    file = tmp_path / "cat.png"
    with Image.open(
        Path(__file__).parents[1] / "gdp" / "picture" / "samples" / "cat.png"
    ) as picture:
        picture.crop((8, 8, 32, 28)).save(file)
    return file


@pytest.fixture(autouse=True)
def _same_randomness():
    torch.manual_seed(0)
