"""Public-domain photos that tests work on."""

import torch
from skimage import data

from gdp.picture import to_model


def astronaut(size=64):
    """A corner of a photo [1, 3, size, size] in [-1, 1]."""
    pixels = torch.from_numpy(data.astronaut()[:size, 150 : 150 + size]).float()
    return to_model(pixels.permute(2, 0, 1)[None] / 255)
