"""Photos darkened at random, from which stray light is learned (stray_light.py)."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from gdp.picture import find_photos, read
from operators.light.stray.network import GRID, MOST, SIDE, normalised

# The shorter side of the photos that are kept in memory, and of the parts that are looked at.
SHORT, PARTS = 160, (64, 157)

# f, the std of noise on the small picture, and how many times that it was before it was shrunk
F_RANGE, NOISE_RANGE, SHRUNK = (0.03, 0.6), (5e-4, 0.015), (1.0, 8.0)

# Chances of no M and of an even one, and the grids of the others
NONE, EVEN, GRIDS = 0.2, 0.1, (2, 3, 4, 4, 4, 5)

# How little M is told from none, in terms of white; chance of a grey photo; most change of colours
FAINT, GREY, TINT = 0.08, 0.1, 0.125


class Draw:
    """Random numbers by one seed."""

    def __init__(self, seed: int):
        self.generator = Generator().manual_seed(seed)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers from 0 to 1."""
        return torch.rand(shape, generator=self.generator)

    def normal(self, *shape: int) -> Tensor:
        """Numbers of mean 0 and std 1."""
        return torch.randn(shape, generator=self.generator)

    def below(self, n: int) -> int:
        """A whole number from 0, below n."""
        return int(torch.randint(n, (), generator=self.generator))

    def by_log(self, n: int, ends: tuple[float, float]) -> Tensor:
        """[n, 1, 1, 1] between two numbers, evenly by their logarithms."""
        low, high = (math.log(end) for end in ends)
        return (low + (high - low) * self.uniform(n, 1, 1, 1)).exp()


def photos_of(folder: Path) -> list[Tensor]:
    """The photos of a folder, [3, H, W] bytes, their shorter sides SHORT."""
    photos = []
    for file in find_photos(folder):
        x = read(file).pixels
        scale = SHORT / min(x.shape[-2:])
        size = [max(SHORT, round(side * scale)) for side in x.shape[-2:]]
        photos.append((255 * F.interpolate(x, size, mode="area")[0]).byte())
    return photos


def scene(photos: Sequence[Tensor], draw: Draw) -> Tensor:
    """A part of a photo, [1, 3, SIDE, SIDE] in [0, 1]."""
    photo = photos[draw.below(len(photos))]
    low, high = PARTS
    side = round(low * (high / low) ** float(draw.uniform()))
    top, left = (draw.below(n - side + 1) for n in photo.shape[-2:])
    x = F.interpolate(photo[None, :, top : top + side, left : left + side] / 255, SIDE, mode="area")
    return x.flip(-1) if draw.uniform() < 0.5 else x


def veil(draw: Draw) -> Tensor:
    """M [1, 1, SIDE, SIDE]."""
    kind, most = float(draw.uniform()), MOST * float(draw.uniform())
    if kind < NONE + EVEN:
        level = 0.0 if kind < NONE else most * float(draw.uniform())
        return torch.full((1, 1, SIDE, SIDE), level)
    side = GRIDS[draw.below(len(GRIDS))]
    coarse = draw.uniform(1, 1, side, side)
    return most * F.interpolate(coarse, SIDE, mode="bicubic").clamp(0, 1)


def dark_photos(photos: Sequence[Tensor], draw: Draw, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """u, noise and M / top of n pictures, as the network and its loss take them."""
    x = torch.cat([scene(photos, draw) for _ in range(n)])
    x = (x * (1 + TINT * (2 * draw.uniform(n, 3, 1, 1) - 1))).clamp(0, 1)
    z, grey = draw.normal(n, 3, SIDE, SIDE), draw.uniform(n, 1, 1, 1) < GREY
    x, z = torch.where(grey, x.mean(1, keepdim=True), x), torch.where(grey, z[:, :1], z)

    # In dark places noise was cut at black before it was averaged.
    M = torch.cat([veil(draw) for _ in range(n)])
    y = draw.by_log(n, F_RANGE) * x ** (0.9 + 0.2 * draw.uniform(n, 1, 1, 1)) + M
    std = draw.by_log(n, NOISE_RANGE)
    before = std * draw.by_log(n, SHRUNK)
    q = y / before
    density = (-q.square() / 2).exp() / (2 * math.pi) ** 0.5
    y = torch.where(draw.uniform(n, 1, 1, 1) < 0.5, y * torch.special.ndtr(q) + before * density, y)

    u, top = normalised(y + std * z)
    return u, (std / top).flatten(), F.adaptive_avg_pool2d(M / top, GRID)
