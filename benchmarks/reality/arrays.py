"""Pictures as other libraries have them."""

import numpy as np
import torch
from torch import Tensor


def to_array(pixels: Tensor) -> np.ndarray:
    """[1, 3, H, W] as floats [H, W, 3]."""
    return np.ascontiguousarray(pixels[0].permute(1, 2, 0).double().numpy())


def to_pixels(array: np.ndarray) -> Tensor:
    """[H, W, 3] of uint8, or of floats in [0, 1], as [1, 3, H, W]."""
    values = torch.from_numpy(array.copy()).permute(2, 0, 1)[None]
    return values / 255 if values.dtype == torch.uint8 else values.float()
