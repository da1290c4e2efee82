"""Softness too slight to be told apart from a sharp photo's own: how much of it is undone.

w      = width of the photo's edges                                  operators/blur/softness.py
p      = 1 / (1 + ((1 - ASKED) / ASKED) N(w; CRISP) / N(w; SOFT))    the chance that it is soft
gain   = 1 + p (1 / K - 1)                                           of least expected error
rms    = ||(gain - 1) y||  <=  SAFE                                  where the photo may be sharp

y is x blurred by K, or it is x: the expected x is y, amplified by the mean of 1 / K and 1. What
that moves is bounded besides, since a photo of fine texture is moved far by it. The bound is lifted
as the edges grow wider than sharp photos have them.
"""

import math

from torch import Tensor

from operators.tools.ramp import ramp
from operators.tools.transforms import dct2

# Pixels of blur that are undone, or some of it, and no less is: half a pixel is the least that
# anybody sees.
HALF = 0.5

# Widths of edges, in pixels: the mean of sharp photos, of such that a Gaussian of half a pixel has
# blurred, and the std of both from photo to photo. Each photo's own gets wider by as much.
CRISP, SOFT, SPREAD = 0.55, 0.67, 0.08

# The chance of being soft that a photo has before it is looked at, since its owner asks to have it
# sharpened; and after that, up to which it is sharp.
ASKED, HARDLY = 2 / 3, 0.1

# What a photo that may be sharp is moved by at most, rms in [-1, 1] units: 36 dB.
SAFE = 0.0317

# Pixels of softness up to which a photo may be sharp, and from which it is not.
MAY_BE, IS = 0.35, 0.5


def chance(width: float) -> float:
    """The chance that a photo whose edges have this width, in pixels, is soft by half a pixel."""
    apart = (SOFT - CRISP) * (width - (SOFT + CRISP) / 2) / SPREAD**2
    return 1 / (1 + (1 - ASKED) / ASKED * math.exp(-apart))


def slight_gain(y: Tensor, K: Tensor, p: float, found: float) -> Tensor:
    """The gain [H, W] by which a photo is sharpened that may be soft.

    Args:
        y: [B, C, H, W] in [-1, 1].
        K: the transfer function [H, W] of the blur that it may have, in the basis of the DCT.
        p: the chance that it has.
        found: by how many pixels its edges are wider than sharp ones.
    """
    more = p * (1 / K.clamp_min(1e-3) - 1)
    moved = float((more * dct2(y)).square().mean().sqrt())

    most = safe(found)
    return 1 + more if moved <= most else 1 + more * (most / moved)


def safe(found: float) -> float:
    """What a photo is moved by at most, rms in [-1, 1], whose edges are wider by `found` pixels."""
    sure = ramp(found, MAY_BE, IS)
    return math.inf if sure == 1 else SAFE / (1 - sure)
