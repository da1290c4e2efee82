"""Root mean squares of what operators and results are compared by."""

import torch
from torch import Tensor


def rms_of(noise: Tensor | float) -> float:
    """The rms of noise whose std is a number, or [..., H, W] by frequency."""
    return float(torch.as_tensor(noise).square().mean().sqrt())


def rms_of_each(pictures: Tensor) -> Tensor:
    """The rms [B, 1, 1, 1] of pictures [B, C, H, W]."""
    return pictures.square().mean((1, 2, 3), keepdim=True).sqrt()
