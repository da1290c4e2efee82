"""The noise that a camera's maker states in a raw file: DNG's NoiseProfile.

variance(x) = S x + O       x: linear light in 0..1, a pair (S, O) for all planes, or one for each
std(b)      = sqrt(variance(x)) db/dx      b: what x is encoded to in sRGB

S is of photons, O of reading the sensor (Adobe, Digital Negative Specification 1.4, tag 51041). It
is told for single pixels of the sensor: filling in colours between them leaves no more of it, and
white balance may raise a plane. So a profile says how noise goes with the light, and how much there
is at most; how it goes with frequency is for the photo to show. ISO alone says none of this, for
sensors differ by ten times at one ISO, and is not used.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from PIL import TiffImagePlugin
from torch import Tensor

from gdp.restore.noise.model import BRIGHTNESSES, NoiseModel, interpolate

PROFILE, SUB_IFDS = 51041, 330
HEADS = (b"II*\0", b"MM\0*")  # of a TIFF
MOST = 1.5  # times what a profile says that an estimate may find: white balance
DARKEST = 1e-4  # linear light, where sRGB is steepest


def profile_of(file: Path) -> Tensor | None:
    """The pairs (S, O) of a file, [planes, 2]; None where it states none."""
    try:
        with file.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            head = stream.read(8)
            if head[:4] not in HEADS:
                return None
            first = directory(stream, head)
            stated = first.get(PROFILE)
            places = first.get(SUB_IFDS, ())
            for place in places if isinstance(places, tuple) else (places,):
                stated = stated or directory(stream, head, int(place)).get(PROFILE)
    except Exception:  # damage makes PIL raise whatever it meets
        return None

    numbers = torch.tensor(stated or (), dtype=torch.float64)
    sound = len(numbers) >= 2 and len(numbers) % 2 == 0 and bool(numbers.isfinite().all())
    return numbers.view(-1, 2) if sound and bool((numbers.view(-1, 2)[:, 0] >= 0).all()) else None


def directory(stream: BinaryIO, head: bytes, place: int | None = None) -> Mapping[int, Any]:
    """The tags of the directory at a place of a TIFF; None is the first."""
    tags = TiffImagePlugin.ImageFileDirectory_v2(head)
    stream.seek(tags.next if place is None else place)
    tags.load(stream)
    return cast(Mapping[int, Any], tags)


def of_profile(pairs: Tensor) -> NoiseModel:
    """White noise that goes with the light as a profile [planes, 2] says."""
    b = torch.linspace(0, 1, BRIGHTNESSES, dtype=torch.float64)
    x = torch.where(b <= 0.04045, b / 12.92, ((b + 0.055) / 1.055) ** 2.4).clamp_min(DARKEST)
    slope = torch.where(x <= 0.0031308, 12.92, 1.055 / 2.4 * x ** (1 / 2.4 - 1))

    variance = (pairs[:, :1] * x + pairs[:, 1:]).clamp_min(0).mean(0)
    std = (variance.sqrt() * slope).clamp_min(1e-6)
    rms = float(std.square().mean().sqrt())
    return replace(NoiseModel.white(rms), curve=(std / rms).float())


def held_to(model: NoiseModel, pairs: Tensor, pixels: Tensor) -> NoiseModel:
    """An estimate with a profile's curve, and no more of it than the profile allows.

    Args:
        model: the estimate.
        pairs: the profile.
        pixels: of the photo, [B, 3, H, W] in [0, 1].
    """
    stated = of_profile(pairs)
    gain = rms_gain(stated, pixels)
    most = MOST * stated.std * gain
    found = model.std * rms_gain(model, pixels)

    # The curves have their rms over all brightnesses; these photos' pixels are at some.
    return replace(model, curve=stated.curve).scaled(min(found, most) / gain)


def rms_gain(model: NoiseModel, pixels: Tensor) -> float:
    """The rms of the gain by which brightness changes noise, over a photo's pixels."""
    grey = pixels.mean(1).flatten().clamp(0, 1)
    gains = interpolate(model.curve[None], grey * (BRIGHTNESSES - 1))
    return float(gains.square().mean().sqrt())
