"""A photo, and blurs that its kernels are found from."""

import torch
from skimage import data

from gdp.picture import to_model
from gdp.prior.noise import Noise
from operators.blur import Blur, kernels

KERNELS = {
    "gaussian": kernels.gaussian(15, 2.0),
    "motion": kernels.motion(9, 30.0),
    "disk": kernels.disk(3.0),
    "shake": kernels.shake(15, 0.5, 3),
}


def photo(size=128, top=60, left=150):
    """A part of a public-domain photo [1, 3, size, size] in [-1, 1]."""
    return to_model(
        torch.from_numpy(data.astronaut()[top : top + size, left : left + size])
        .float()
        .permute(2, 0, 1)[None]
        / 255
    )


def blurred(x, kernel, sigma=0.01):
    return Blur(kernel)(x) + 2 * sigma * Noise(range(len(x))).like(x)
