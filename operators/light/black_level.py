"""What black has in y: where a camera has cut its noise there, and where a picture is flat.

m_c    = mean of y_c over the darkest DARKEST of a small picture
b_c    = min(m_c - min_c m, MOST sigma)      sigma: std of y's noise

Noise that is cut at 0 has a mean above it, of the order of its std, the more so the stronger a
channel was amplified; shrinking and denoising a photo afterwards lessen its noise, and not its
mean. Where the light is mended that makes purple of black.

top, d = the 99 % quantile of max_c, and the quantile LOW of min_c, over a small picture
h      = log max(1, WHITE / top)             c, WHITE, top: of operators/light/brightness.py
b      = c(h) min(d, VEIL)
share  = c(h) min(1, d / RAISED)             how flat y is: neither white nor black

A camera's plain rendering keeps off white and off black: its picture is flat, and who mends its
light spreads it at both ends, and gives it the curve that was left out (brightness.py). Where
something is as good as white, a scene's darkest place is its own. Of 1,732 photos 8 % have a top
below .8 and d above .04, as eight of eight renderings have that experts were given to retouch.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from operators.light.brightness import WHITE, believed
from operators.light.exposure import block_means, bright_quantiles

# The share of a picture that is taken for black.
DARKEST = 0.02

# The most of it, in stds of what noise is left.
MOST = 2.0

# The quantile that is black in a flat picture, the most that is taken for it, and what is raised
# for sure, [0, 1] units.
LOW, VEIL, RAISED = 0.01, 0.12, 0.08

# The doubt that a picture lacks white, in log of the light.
FLAT = 0.12


class Flatness(NamedTuple):
    """How flat photos are.

    Attributes:
        black: b [B, 1, 1, 1], of all colours.
        share: 0 to 1 [B].
    """

    black: Tensor
    share: Tensor


def black_level(p: Tensor, sigma: float) -> Tensor:
    """b [B, 3, 1, 1] of photos [B, 3, H, W] in [0, 1]; 0 where values lie below 0, so none is cut.

    Args:
        p: y01.
        sigma: std of its noise.
    """
    if float(p.min()) < 0:
        return p.new_zeros(len(p), 3, 1, 1)
    small = block_means(p).flatten(2)
    count = max(1, round(DARKEST * small.shape[-1]))
    darkest = small.mean(1).topk(count, largest=False).indices
    m = torch.stack([one[:, at].mean(1) for one, at in zip(small, darkest, strict=True)])
    return (m - m.amin(1, keepdim=True)).clamp(max=MOST * sigma)[..., None, None]


def flatness(p: Tensor) -> Flatness:
    """How flat photos [B, 3, H, W] in [0, 1] are."""
    small = block_means(p)
    d = small.amin(1).flatten(1).quantile(LOW, 1).clamp(0, 1)

    # How sure it is that they lack white
    tops = bright_quantiles(small)[1].tolist()
    lacks = d.new_tensor([believed(math.log(max(1.0, WHITE / max(t, 1e-4))), FLAT) for t in tops])

    black = lacks * d.clamp(max=VEIL)
    return Flatness(black[:, None, None, None], lacks * (d / RAISED).clamp(max=1))
