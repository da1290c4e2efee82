"""Haze that is surely haze: a pale veil over all of a photo, thicker afar, which has no white.

veil    = dark channel over the airlight         operators/light/scattering/dark_channel.py
share   = rise(10 % of veil) rise(90 % - 10 % of veil) rise(darkest)
          (1 - rise(mean saturation)) (1 - rise(white))

Even the nearest things have the veil, nothing is black, all colours are pale, and the brightest
places are no white, as they are in snow, on paper or in a bright room. Where things are far away
the veil is thicker: what is pale and even, a wall or a road, has the same everywhere.
"""

from torch import Tensor

from operators.light.scattering.dark_channel import DarkChannel
from operators.light.scattering.dehaze import veil
from operators.light.sure.rises import rise

# Where evidence counts half: the veil, and how much thicker it gets; the darkest channel's 0.1 %,
# saturation, white's 99 %.
VEILED, DEEPER, RAISED, PALE, WHITE = 0.22, 0.55, 0.05, 0.12, 0.8

# Pixels of the shorter side from which a photo is judged: a small one shows few things, and those
# may all be pale.
LEAST = 192


def sure_haze(pixels: Tensor) -> float:
    """How surely a photo [1, 3, H, W] in [0, 1] is hazy, 0..1."""
    if min(pixels.shape[-2:]) < LEAST:
        return 0.0

    # The veil over the nearest things and the farthest.
    p, darkness, *_ = DarkChannel().coarse(pixels)
    near, far = (float(darkness.quantile(q)) for q in (0.1, 0.9))

    # What haze leaves no room for.
    least, most = p.amin(1), p.amax(1)
    saturation = float((1 - least / most.clamp_min(1e-3)).mean())
    white = float(p.mean(1).quantile(0.99))
    share = rise(near, VEILED) * rise(far - near, DEEPER, 16)
    share *= rise(float(least.quantile(0.001)), RAISED, 4)
    return share * (1 - rise(saturation, PALE)) * (1 - rise(white, WHITE, 16))


def haze_of(pixels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """t [1, 1, H, W] and airlight [1, 3, H, W] of that share of a photo's haze."""
    t, a, sure = DarkChannel()(pixels)
    t, light = veil(pixels, t, a.view(1, 3, 1, 1), sure)
    return 1 - share * (1 - t), light
