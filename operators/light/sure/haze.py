"""Haze that is surely haze: a pale veil over all of a photo, which has no white either.

veil    = dark channel over the airlight         operators/light/scattering/dark_channel.py
share   = rise(10 % of veil) rise(darkest) (1 - rise(mean saturation)) (1 - rise(white))

Even the nearest things have the veil, nothing is black, all colours are pale, and the brightest
places are no white, as they are in snow, on paper or in a bright room.
"""

from torch import Tensor

from operators.light.scattering.dark_channel import DarkChannel
from operators.light.scattering.dehaze import veil
from operators.light.sure.rises import rise

# Where evidence counts half: the veil, the darkest channel's 0.1 %, saturation, white's 99 %.
VEILED, RAISED, PALE, WHITE = 0.22, 0.05, 0.12, 0.8

# Pixels of the shorter side from which a photo is judged.
LEAST = 64


def sure_haze(pixels: Tensor) -> float:
    """How surely a photo [1, 3, H, W] in [0, 1] is hazy, 0..1."""
    if min(pixels.shape[-2:]) < LEAST:
        return 0.0

    # The veil over the nearest things.
    p, darkness, *_ = DarkChannel().coarse(pixels)
    near = float(darkness.quantile(0.1))

    # What haze leaves no room for.
    least, most = p.amin(1), p.amax(1)
    saturation = float((1 - least / most.clamp_min(1e-3)).mean())
    white = float(p.mean(1).quantile(0.99))
    share = rise(near, VEILED) * rise(float(least.quantile(0.001)), RAISED, 4)
    return share * (1 - rise(saturation, PALE)) * (1 - rise(white, WHITE, 16))


def haze_of(pixels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """t [1, 1, H, W] and airlight [1, 3, H, W] of that share of a photo's haze."""
    t, a, sure = DarkChannel()(pixels)
    t, light = veil(pixels, t, a.view(1, 3, 1, 1), sure)
    return 1 - share * (1 - t), light
