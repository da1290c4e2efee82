"""Gaussian noise that depends on the seed of each image and on its purpose, not on the batch it sits in."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

PURPOSES = ("degrade", "start", "step")


class Noise:
    """Streams of N(0, I), one per image and purpose, counted: draw k of (seed, purpose) never depends on earlier draws.

    Purposes keep the noise of a simulated y, of x_T and of the steps apart: one draw used twice correlates them and flatters
    the result. `draws` is the whole state: set it to go on in the middle of a restoration.
    """

    def __init__(self, seeds: Iterable[int], purpose: str = "step", draws: int = 0):
        if purpose not in PURPOSES:
            raise ValueError(f"unknown purpose of noise {purpose!r}; it is one of {', '.join(PURPOSES)}")
        self.seeds, self.purpose, self.draws = [int(s) % 2**64 for s in seeds], purpose, draws

    def like(self, x: Tensor) -> Tensor:
        """N(0, I) of the shape, type and device of x [B, ...]; B is the number of seeds."""
        if len(x) != len(self.seeds):
            raise ValueError(f"batch of {len(x)} images but {len(self.seeds)} seeds; give one seed per image")
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        for image, seed in zip(out, self.seeds, strict=True):
            key = np.random.SeedSequence([seed, PURPOSES.index(self.purpose), self.draws])
            generator = torch.Generator(x.device).manual_seed(int(key.generate_state(1, np.uint64)[0]) >> 1)
            image.normal_(generator=generator)
        self.draws += 1
        return out
