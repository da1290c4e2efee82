"""Unconditional samples of a prior, and a sheet of them to look at.

x0  = clamp((x_t - sqrt(1 - a_t) eps(x_t, t)) / sqrt(a_t), -1, 1)
eps = (x_t - sqrt(a_t) x0) / sqrt(1 - a_t)
x_s = DDIM(eta) of x0 and eps                                         gdp/prior/prior.py
"""

import math
from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule

# Pixels of a sheet: smaller images are enlarged to this side; space between images
LEGIBLE_SIDE, GAP = 64, 2


@torch.inference_mode()
def sample(
    prior: Prior,
    number: int,
    size: int,
    eta: float = 0.0,
    steps: int = 50,
    seeds: Sequence[int] | None = None,
) -> Tensor:
    """Draw images from a prior.

    Args:
        prior: what they are drawn from.
        number: of images.
        size: their side.
        eta: DDIM's share of fresh noise.
        steps: of DDIM, at most; never more than the prior's.
        seeds: one an image; left out, 0, 1, ...

    Returns:
        Images [number, 3, size, size] in [-1, 1].
    """
    noise = Noise(range(number) if seeds is None else seeds)
    x = Noise(noise.seeds, "start").like(torch.empty(number, 3, size, size, device=prior.device))

    for t, s in Schedule(min(steps, prior.T), spacing="respaced").pairs(prior.T):
        x0 = prior(x, t).x0.clamp(-1, 1)
        eps = (x - prior.a(t) ** 0.5 * x0) / (1 - prior.a(t)) ** 0.5
        x = prior.ddim(x0, eps, s, eta, noise)
    return x


def sheet(images: Tensor) -> Image.Image:
    """Paste images on one picture, in rows and columns as square as their number allows.

    Args:
        images: [N, 3, H, W] in [-1, 1]; tiny ones are enlarged without smoothing.
    """
    rows = max(n for n in range(1, math.isqrt(len(images)) + 1) if len(images) % n == 0)
    columns = len(images) // rows
    factor = max(1, LEGIBLE_SIDE // max(images.shape[-2:]))
    height, width = (factor * side + GAP for side in images.shape[-2:])

    picture = Image.new("RGB", (columns * width - GAP, rows * height - GAP), "gray")
    pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    for i, image in enumerate(pixels):
        row, column = divmod(i, columns)
        one = Image.fromarray(image)
        enlarged = one.resize((factor * one.width, factor * one.height), Image.Resampling.NEAREST)
        picture.paste(enlarged, (column * width, row * height))

    return picture
