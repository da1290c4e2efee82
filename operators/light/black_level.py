"""What black has in y where a camera has cut its noise there: more than 0, and not of every colour.

m_c    = mean of y_c over the darkest DARKEST of a small picture
b_c    = min(m_c - min_c m, MOST sigma)      sigma: std of y's noise

Noise that is cut at 0 has a mean above it, of the order of its std, the more so the stronger a
channel was amplified; shrinking and denoising a photo afterwards lessen its noise, and not its
mean. Where the light is mended that makes purple of black.
"""

import torch
from torch import Tensor

from operators.light.exposure import block_means

# The share of a picture that is taken for black.
DARKEST = 0.02

# The most of it, in stds of what noise is left.
MOST = 2.0


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
