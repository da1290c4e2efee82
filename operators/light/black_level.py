"""What black has in y: where a camera has cut its noise there, and where a picture is flat.

m_c    = mean of y_c over the darkest DARKEST of a small picture
b_c    = min(m_c - min_c m, MOST sigma)      sigma: std of y's noise

Noise that is cut at 0 has a mean above it, of the order of its std, the more so the stronger a
channel was amplified; shrinking and denoising a photo afterwards lessen its noise, and not its
mean. Where the light is mended that makes purple of black.

b      = min(d, VEIL) c(h)       d: the quantile LOW of min_c over a small picture
h      = log max(1, WHITE / top)             c, WHITE, top: of operators/light/brightness.py

A camera that keeps off white keeps off black, too: its picture is flat, and who mends its light
spreads it at both ends. Where something is as good as white, a scene's darkest place is its own.
"""

import math

import torch
from torch import Tensor

from operators.light.brightness import WHITE, believed
from operators.light.exposure import block_means, bright_quantiles

# The share of a picture that is taken for black.
DARKEST = 0.02

# The most of it, in stds of what noise is left.
MOST = 2.0

# The quantile that is black in a flat picture, and the most of it, [0, 1] units; the doubt that a
# picture is flat, in log of the light that it lacks to white.
LOW, VEIL, FLAT = 0.01, 0.1, 0.42


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


def black_point(p: Tensor) -> Tensor:
    """b [B, 1, 1, 1] of photos [B, 3, H, W] in [0, 1]: of all colours, where a picture is flat."""
    small = block_means(p)
    darkest = small.amin(1).flatten(1).quantile(LOW, 1).clamp(0, VEIL)
    tops = bright_quantiles(small)[1].tolist()
    flat = [believed(math.log(max(1.0, WHITE / max(top, 1e-4))), FLAT) for top in tops]
    return (darkest * darkest.new_tensor(flat))[:, None, None, None]
