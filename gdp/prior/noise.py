"""Gaussian noise that depends on each image's seed and purpose, not on the batch it sits in."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

PURPOSES = ("degrade", "start", "step", "photons", "impulse")


class Noise:
    """Streams of N(0, I), one per image and purpose, counted.

    Draw k of (seed, purpose) never depends on earlier draws. Purposes keep the noise of a
    simulated y, of x_T and of the steps apart: one draw used twice correlates them, and flatters
    the result.

    Args:
        seeds: of the images of a batch.
        purpose: one of PURPOSES.
        draws: the draws so far. It is the whole state: set it to go on in the middle of a
            restoration.

    Raises:
        ValueError: the purpose is unknown.
    """

    def __init__(self, seeds: Iterable[int], purpose: str = "step", draws: int = 0):
        if purpose not in PURPOSES:
            raise ValueError(
                f"unknown purpose of noise {purpose!r}; it is one of {', '.join(PURPOSES)}"
            )
        self.seeds, self.purpose, self.draws = [int(s) % 2**64 for s in seeds], purpose, draws

    def like(self, x: Tensor) -> Tensor:
        """N(0, I) of the shape, type and device of x [B, ...]; B is the number of seeds."""
        if len(x) != len(self.seeds):
            raise ValueError(
                f"batch of {len(x)} images but {len(self.seeds)} seeds; give one seed per image"
            )
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        for image, seed in zip(out, self.seeds, strict=True):
            image.normal_(generator=generator(seed, self.purpose, self.draws, x.device))
        self.draws += 1
        return out


def generator(seed: int, purpose: str, draw: int, device: torch.device) -> torch.Generator:
    """The generator of one draw of one image."""
    key = np.random.SeedSequence([seed % 2**64, PURPOSES.index(purpose), draw])
    return torch.Generator(device).manual_seed(int(key.generate_state(1, np.uint64)[0]) >> 1)


def photons(pixels: Tensor, peak: float, seeds: Iterable[int]) -> Tensor:
    """Add Poisson noise to photos.

    Args:
        pixels: [B, ...] in [0, 1].
        peak: photons at white.
        seeds: of the photos.
    """
    noisy = []
    for image, seed in zip(pixels, seeds, strict=True):
        random = generator(seed, "photons", 0, pixels.device)
        noisy.append(torch.poisson(image.clamp_min(0) * peak, generator=random) / peak)
    return torch.stack(noisy)


def impulses(pixels: Tensor, rate: float, seeds: Iterable[int]) -> Tensor:
    """Add salt and pepper to photos.

    Args:
        pixels: [B, C, H, W] in [0, 1].
        rate: the share of pixels that turn black or white, all channels alike.
        seeds: of the photos.
    """
    out = pixels.clone()
    for image, seed in zip(out, seeds, strict=True):
        random = generator(seed, "impulse", 0, pixels.device)
        u = torch.rand(image.shape[-2:], generator=random, device=pixels.device)
        image[:, u < rate / 2] = 0
        image[:, u > 1 - rate / 2] = 1
    return out
