"""Photos of scikit-image, degraded by our own operators: those of docs/enhancement.md."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from gdp.picture import to_image, to_model
from gdp.prior.noise import Noise
from operators.blur import Blur
from operators.blur.kernels import motion
from operators.light.tone import decode, encode

BRACKET = (2.0, 0.5, 0.125)  # light of a scene's exposures
SIDE, GAMMA = 192, 2.2  # pixels; of a camera's curve


class Case(NamedTuple):
    """A task, and a photo that it restores.

    Attributes:
        task: its name.
        photo: of scikit-image.
        spoil: degrades pixels [1, 3, H, W] in [0, 1].
        found: the operator's name of what it found.
        quality: of the JPEG file that it becomes.
    """

    task: str
    photo: str
    spoil: Callable[[Tensor], Tensor]
    found: str | None = None
    quality: int | None = None


def noisy(y: Tensor, sigma: float) -> Tensor:
    """Add white noise."""
    return y + sigma * Noise([0], "degrade").like(y)


def lit(x: Tensor, f: Tensor | float) -> Tensor:
    """Other light, or light of another colour, before a camera's curve; white cuts it."""
    return encode((f * decode(x, GAMMA)).clamp(max=1), GAMMA)


def hazy(x: Tensor) -> Tensor:
    """Add fog that thickens towards the top."""
    t = torch.linspace(0.35, 0.8, x.shape[-2]).view(1, 1, -1, 1)
    return t * x + (1 - t) * 0.85


def scratched(x: Tensor) -> Tensor:
    """Age a photo: grey, faded, noisy, with lines."""
    lines = Image.new("L", (x.shape[-1], x.shape[-2]))
    draw = ImageDraw.Draw(lines)
    draw.line([(10, 40), (180, 90)], 255, 2)
    draw.line([(120, 5), (100, 185)], 255, 2)

    marks = torch.from_numpy(np.asarray(lines) > 0)
    return torch.where(marks, 0.97, noisy(0.1 + 0.7 * x.mean(1, keepdim=True).expand_as(x), 0.03))


CASES = [
    Case("lowlight", "coffee", lambda x: noisy(0.1 * x, 0.015), "f"),
    Case("exposure", "astronaut", lambda x: noisy(lit(x, 2.0), 0.01), "f"),
    Case(
        "hdr",
        "rocket",
        lambda x: noisy(torch.cat([lit(x, f) for f in BRACKET], 1), 0.01),
        "f",
    ),
    Case(
        "whitebalance",
        "astronaut",
        lambda x: noisy(lit(x, torch.tensor([1.3, 1.0, 0.5]).view(1, 3, 1, 1)), 0.01),
        "gains",
    ),
    Case("dehaze", "astronaut", lambda x: noisy(hazy(x), 0.01), "airlight"),
    Case(
        "deblur_blind",
        "astronaut",
        lambda x: noisy(to_image(Blur(motion(9, 30.0))(to_model(x))), 0.01),
        "kernel_angle",
    ),
    Case("jpeg", "chelsea", lambda x: x, quality=15),
    Case("oldphoto", "camera", scratched, "scratched"),
    Case("enhance", "chelsea", lambda x: noisy(x, 0.04)),
]


def photo(name: str) -> Tensor:
    """Load the centre of a photo of scikit-image's [1, 3, SIDE, SIDE]."""
    import skimage.data

    pixels = np.atleast_3d(getattr(skimage.data, name)())
    side = min(pixels.shape[:2])
    top, left = ((n - side) // 2 for n in pixels.shape[:2])

    square = torch.from_numpy(pixels[top : top + side, left : left + side].copy())
    square = square.permute(2, 0, 1)[None] / 255
    return F.interpolate(square.expand(1, 3, -1, -1), (SIDE, SIDE), mode="area")
