"""What the tests of training share: photos, and a small run."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.train import __main__ as train
from gdp.train.photos import Photos, find_photos

NET = [
    *"--image-size 16 --model-channels 32 --channel-mult 1,1 --attention-downsampling 2".split(),
    *"--num-head-channels 16".split(),
]
SMALL = [
    *NET,
    *"--diffusion-steps 50 --batch 4 --samples 2 --workers 1 --device cpu --warmup 2".split(),
]


def run(folder: Path, out: Path, *more: object, net: list[str] = SMALL) -> int:
    """The exit code of a small training run."""
    return train.main([str(a) for a in ("--data", folder, "--out", out, *more, *net)])


def curve(out: Path, name: str = "log.jsonl") -> list[dict]:
    """The rows of a curve."""
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


def photos_of(folder: Path, **changes) -> Photos:
    """Photos as the command line has them by default."""
    return Photos(find_photos(folder), **{"cache_mb": 1, "native": 0.5, "flip": True, **changes})


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Networks this small only wait for one another on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A dozen pictures of many sizes and modes, in two folders."""
    root = tmp_path_factory.mktemp("photos")
    (root / "more").mkdir()
    rng = np.random.default_rng(0)
    modes, sizes = ["RGB", "L", "RGBA", "P"], [(40, 30), (9, 50), (16, 16), (25, 64)]

    for i, (mode, size) in enumerate(zip(modes * 3, sizes * 3, strict=True)):
        picture = Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).convert(mode)
        picture.save(root / ("more" if i % 2 else ".") / f"{i:02d}.png")
    return root


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory) -> Path:
    """The folder of a run of 12 steps, with two photos held out."""
    out = tmp_path_factory.mktemp("finished") / "tiny"
    words = ("--steps", 12, "--holdout", 2, "--size-ladder", "8:0.5,16:0.5")
    assert run(folder, out, *words) == 0
    return out
