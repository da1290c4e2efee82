"""A photo in daylight, and a light that falls on it."""

import torch
import torch.nn.functional as F
from skimage import data


def photo(name="astronaut", size=96):
    """A public-domain photo [1, 3, size, size] in [0, 1]."""
    pixels = torch.from_numpy(getattr(data, name)()).float().permute(2, 0, 1)[None] / 255
    return F.interpolate(pixels, (size, size), mode="area")


def smooth_map(size, seed=0):
    """A smooth random map [1, 1, size, size] in [0, 1]."""
    z = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(z, (size, size), mode="bicubic").clamp(0, 1)
