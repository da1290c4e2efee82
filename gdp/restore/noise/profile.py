"""How noise goes with the light, by what a raw file states (DNG's NoiseProfile), or patches show.

variance(x) = S x + O       x: linear light in 0..1, a pair (S, O) for all planes, or one for each
std(b)      = sqrt(variance(x)) db/dx      b: what x is encoded to in sRGB

S is of photons, O of reading the sensor (Adobe, Digital Negative Specification 1.4, tag 51041). It
is told for single pixels of the sensor: filling in colours between them leaves no more of it, and
white balance may raise a plane. So a profile says how noise goes with the light, and how much there
is at most; how it goes with frequency is for the photo to show. ISO alone says none of this, for
sensors differ by ten times at one ISO, and is not used.

Patches tell of some brightnesses. How noise goes beyond them is for the photo to show:

log g(b) = log g_own(b) + c(b) exp(-d(b) / FADES)      g: std at a brightness b
c        = log g_patch - log g_own at the patches' brightnesses, between them by lines
d        = how far b is from all that lies between them
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import torch
from PIL import TiffImagePlugin
from torch import Tensor

from gdp.restore.noise.model import (
    BRIGHTNESSES,
    OPPONENT,
    NoiseModel,
    curve_at,
    interpolate,
)

PROFILE, SUB_IFDS = 51041, 330
HEADS = (b"II*\0", b"MM\0*")  # of a TIFF
MOST = 1.5  # times what a profile says that an estimate may find: white balance
FADES = 0.2  # of brightness, over which a patch's word against the photo's own falls to 1 / e
BRIGHTER, DARKER = 1.5, 2.5  # times what patches say, beyond which a photo's own is texture
SAME = 1 / 32  # of brightness, below which two patches are of one
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


def with_own(model: NoiseModel, own: NoiseModel, pixels: Tensor) -> NoiseModel:
    """The noise of patches, beyond their brightnesses as the photo's own; see above.

    Args:
        model: of the patches.
        own: as the photo's pixels [B, C, H, W] show it.
    """
    b, at = torch.linspace(0, 1, BRIGHTNESSES), torch.tensor(model.at_light)
    against = model.std / own.std * curve_at(model.curve, at) / curve_at(own.curve, at)
    c = between(b, at, against.log())
    far = (at[0] - b).clamp_min(0) + (b - at[-1]).clamp_min(0)

    # The photo's own may be too much, of texture, and hardly too little.
    patches = model.std * curve_at(model.curve, b.clamp(at[0], at[-1]))
    std = own.std * own.curve * (c * (-far / FADES).exp()).exp()
    std = std.minimum(torch.where(b > at[-1], BRIGHTER, DARKER) * patches)
    rms = rms_gain(replace(own, curve=std), pixels)
    return replace(model.scaled(rms), curve=std / rms)


def of_patches(models: Sequence[NoiseModel]) -> NoiseModel:
    """The noise of several patches: their mean spectrum, and a curve through their stds."""
    told = [
        (b, math.log(m.std * float(curve_at(m.curve, torch.tensor([b])))))
        for m in models
        for b in m.at_light
    ]
    groups: list[list[tuple[float, float]]] = []
    for b, std in sorted(told):
        if groups and b - groups[-1][0][0] < SAME:
            groups[-1].append((b, std))
        else:
            groups.append([(b, std)])
    at, stds = torch.tensor([[sum(x) / len(x) for x in zip(*g, strict=True)] for g in groups]).T

    curve = between(torch.linspace(0, 1, BRIGHTNESSES), at, stds).exp()
    rms = float(curve.square().mean().sqrt())
    spectrum = torch.stack([m.spectrum.square() / m.std**2 for m in models]).mean(0).sqrt()
    return NoiseModel(rms * spectrum, curve / rms, OPPONENT, at_light=tuple(at.tolist()))


def between(places: Tensor, at: Tensor, values: Tensor) -> Tensor:
    """The lines through values [n] at rising brightnesses, at places [m]; beyond them the ends."""
    return torch.from_numpy(np.interp(places.numpy(), at.numpy(), values.numpy())).float()
