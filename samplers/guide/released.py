"""The quality losses of GDP's released code (Fei et al., CVPR 2023), on x0 in [-1, 1] as there.

    colour     sqrt((r - g)^4 + (r - b)^4 + (b - g)^4) of the channels' means
    exposure   mean (brightness of a cell - target)^2; the target 0.3 is 0.65 of full scale here
    variation  of the map M: mean squared differences, down and across, twice

They come from Zero-DCE (Guo et al., CVPR 2020). samplers/guide/losses.py has them in [0, 1] units.
"""

import torch.nn.functional as F
from torch import Tensor

from samplers.guide.losses import Degradation


def colour(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """sqrt((r - g)^4 + (r - b)^4 + (b - g)^4) of the channels' means [B]; 0 for even ones."""
    r, g, b = x0.mean((-2, -1)).unbind(1)
    fourth = (r - g) ** 4 + (r - b) ** 4 + (b - g) ** 4
    return fourth.clamp_min(1e-24).sqrt()


def exposure(x0: Tensor, y: Tensor, A: Degradation, cell: int = 8, target: float = 0.3) -> Tensor:
    """The mean over cells of (brightness - target)^2 [B]; what is left of the last ones is dropped.

    Args:
        x0: [B, 3, H, W] in [-1, 1].
        y, A: not looked at.
        cell: pixels a side.
        target: in the units of x0.
    """
    means = F.avg_pool2d(x0.mean(1, keepdim=True), cell)
    return (means - target).square().flatten(1).mean(1)


def variation(M: Tensor) -> Tensor:
    """The squared differences of a map [H, W], down and across.

    Each sum is divided by how many differences there are, and counts twice.
    """
    H, W = M.shape
    down, across = M.diff(dim=0).square().sum(), M.diff(dim=1).square().sum()
    return 2 * (down / ((H - 1) * W) + across / (H * (W - 1)))
