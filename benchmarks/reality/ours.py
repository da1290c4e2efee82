"""What the program does with a pair, through its Python API, at its defaults.

A task may carry settings after colons: denoise:sigma_y=auto. Tasks that enlarge take the photo at
half the size; `deblur` is told the kernel, where there is one; `hdr` gives its light as well.
"""

from typing import Any, NamedTuple

import torch
import yaml
from torch import Tensor

import gdp
from benchmarks.common import ROOT
from benchmarks.reality.arrays import to_pixels
from benchmarks.reality.pairs import Pair
from gdp.picture.arrays import source_of
from gdp.prior.prior import Prior


class Restored(NamedTuple):
    """What became of a photo.

    Attributes:
        pixels: [1, 3, H, W] in [0, 1].
        light: of a scene, linear, [1, 3, H, W]; else None.
        calls: of the network.
        sigma_y: std of the noise that was told or found, [0, 1] units.
    """

    pixels: Tensor
    light: Tensor | None
    calls: int
    sigma_y: float | None


def exists(task: str) -> bool:
    """Whether there is a task of this name."""
    return (ROOT / "conf" / "task" / f"{task.partition(':')[0]}.yaml").is_file()


def restore(task: str, pair: Pair, prior: Prior, overrides: list[str]) -> Restored | None:
    """Restore a pair's photo.

    Args:
        task: a name, with settings after colons.
        pair: what to restore.
        prior: as `gdp.load_prior` gives it.
        overrides: more settings, KEY=VALUE.

    Returns:
        None where the task has nothing to work on in this pair.

    Raises:
        ValueError, TypeError, OSError: the program refuses the photo.
    """
    name, *words = task.split(":")
    given: Any = pair.given
    parts = (word.split("=", 1) for word in (*words, *overrides))
    settings: dict[str, Any] = {name: yaml.safe_load(value) for name, value in parts}

    # What the task takes instead of the photo, or beside it
    if name.startswith("sr"):
        if pair.small is None:
            return None
        given = pair.small
    if name == "deblur":
        if pair.kernel is None:
            return None
        settings["operator.kernel"] = str(pair.kernel)

    with torch.no_grad():
        result = gdp.restore(given, task=name, prior=prior, **settings)
    light = None if result.light is None else to_pixels(result.light)
    pixels = source_of(result.image).photos[0].pixels
    stages = result.report["stages"] or []
    calls = result.report["nfe"] + sum(stage["nfe"] for stage in stages)
    return Restored(pixels, light, calls, result.report["sigma_y"])
