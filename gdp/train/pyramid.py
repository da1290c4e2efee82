"""Crops cut on the device that trains: photos at many scales in its memory, read by index.

    level k of a photo = the photo shrunk by 2^(k/3), k = 0, 1, ...
    crop(b)            = level k_b, window of s x s pixels at (y_b, x_b), mirrored or not
    eps(b)             ~ N(0, I), drawn on the device

A GPU trains on more crops a second than threads of Python can cut. Here a batch costs one gather.
Scales are those of gdp/train/photos.py, rounded to a level. A batch is a pure function of
(seed, step), so a resumed run sees the batches that it would have seen, on the same kind of device.
"""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gdp.train.data import Batch
from gdp.train.photos import Photos

# Levels from a scale to half of it
LEVELS_PER_OCTAVE = 3


class Pyramid:
    """Photos at all levels as one long row of pixels.

    Args:
        photos: what crops are cut from.
        smallest: side of the smallest crops; levels end where photos are no larger.
        device: where the pixels lie.

    Raises:
        ValueError: no photo is as large as a crop.
    """

    def __init__(self, photos: Photos, smallest: int, device: torch.device):
        self.native, self.flip, self.device = photos.native, photos.flip, device

        # Decoded and shrunk by threads
        with ThreadPoolExecutor() as pool:
            numbers = range(len(photos.files))
            stacks = list(pool.map(lambda i: shrunk(photos[i], smallest), numbers))
        stacks = [stack for stack in stacks if stack]
        if not stacks:
            raise ValueError(
                f"none of the {len(photos.files)} photos has {smallest} pixels along its short "
                "side; crops on the device need larger photos, or smaller crops"
            )

        # Where each level of each photo begins, and its size
        self.first = np.cumsum([0, *(len(stack) for stack in stacks)])
        levels = [level for stack in stacks for level in stack]
        sizes = np.array([level.shape[:2] for level in levels])
        self.heights, self.widths = sizes.T
        self.starts = np.concatenate([[0], np.cumsum(sizes.prod(1))[:-1]])

        rows = np.concatenate([level.reshape(-1, 3) for level in levels])
        self.pixels = torch.from_numpy(rows).to(device)

    def batches(
        self, seed: int, first: int, plan: Callable[[int], tuple[int, int]], rank: int, world: int
    ) -> Generator[Batch, None, None]:
        """Yield the batches from a step on.

        Args:
            seed: of all draws.
            first: the step of the first batch.
            plan: from a step to (crop size, items of the batch over all processes).
            rank: this process; it takes every `world`th item.
            world: number of processes.
        """
        generator = torch.Generator(self.device)

        for step in count(first):
            size, items = plan(step)
            rng = np.random.default_rng([seed, step])
            index, u = self.windows(rng, size, items)
            generator.manual_seed(int(rng.integers(2**62)) + rank)

            # Pixels, noise, times
            mine = torch.from_numpy(index[rank::world]).to(self.device, non_blocking=True)
            x0 = self.cut(mine, size)
            eps = torch.randn(x0.shape, generator=generator, device=self.device)
            yield Batch(x0, eps, torch.from_numpy(u[rank::world]))

    def windows(
        self, rng: np.random.Generator, size: int, items: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw where the crops of a batch lie.

        Returns:
            ((first pixel, step to the next row, step to the next column) [items, 3], fractions of
            the diffusion time [items]).

        Raises:
            ValueError: no photo is as large as a crop.
        """
        # A photo that is large enough, and how far it may be shrunk
        whole = self.first[:-1]
        short = np.minimum(self.heights[whole], self.widths[whole])
        large = np.flatnonzero(short >= size)
        if not len(large):
            raise ValueError(
                f"no photo has {size} pixels along its short side; crops on the device need "
                "larger photos, or a smaller size in --size-ladder"
            )
        photo = large[rng.integers(len(large), size=items)]
        octaves = np.log2(short[photo] / size)

        # Its level: the photo itself in a share of draws, else log-uniform
        octaves = np.where(rng.random(items) < self.native, 0, octaves * rng.random(items))
        level = whole[photo] + np.rint(LEVELS_PER_OCTAVE * octaves).astype(int)
        level = np.minimum(level, self.first[photo + 1] - 1)
        while (small := np.minimum(self.heights[level], self.widths[level]) < size).any():
            level = level - small

        # The window, mirrored or not
        y = (rng.random(items) * (self.heights[level] - size + 1)).astype(int)
        x = (rng.random(items) * (self.widths[level] - size + 1)).astype(int)
        mirrored = (rng.random(items) < 0.5) & self.flip
        start = self.starts[level] + y * self.widths[level] + x + mirrored * (size - 1)

        steps = np.stack([start, self.widths[level], np.where(mirrored, -1, 1)], 1)
        return steps.astype(np.int64), rng.random(items)

    def cut(self, index: Tensor, size: int) -> Tensor:
        """Read crops [B, 3, size, size] in [-1, 1], channels last in memory, by `windows`."""
        start, row, column = index[:, :, None, None].unbind(1)
        i = torch.arange(size, device=self.device)
        pixels = self.pixels[start + row * i[:, None] + column * i]
        return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def shrunk(photo: np.ndarray, smallest: int) -> list[np.ndarray]:
    """Shrink a photo uint8 [H, W, 3] level by level, while its short side is >= `smallest`."""
    picture = Image.fromarray(photo)
    levels: list[np.ndarray] = []

    while True:
        scale = 2 ** (-len(levels) / LEVELS_PER_OCTAVE)
        width, height = (round(n * scale) for n in picture.size)
        if min(width, height) < smallest:
            return levels
        level = picture.resize((width, height), Image.Resampling.BICUBIC) if levels else picture
        levels.append(np.asarray(level))
