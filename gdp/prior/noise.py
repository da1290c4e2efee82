"""Gaussian noise that depends on each image's seed and purpose, not on the batch it sits in.

It is drawn on the CPU, whatever device it is for: generators of GPUs differ from one another, and
the same seed is to mean the same picture everywhere. The next draw is made while the device works
on this one, and goes over without being waited for.
"""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

DRAWING = ThreadPoolExecutor(1, "noise")  # draws ahead, for other devices than the CPU
PURPOSES = ("degrade", "start", "step", "photons", "impulse", "tint")


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
        self.ahead: tuple[object, Future[Tensor]] | None = None

    def like(self, x: Tensor) -> Tensor:
        """N(0, I) of the shape, type and device of x [B, ...]; B is the number of seeds."""
        if len(x) != len(self.seeds):
            raise ValueError(
                f"batch of {len(x)} images but {len(self.seeds)} seeds; give one seed per image"
            )
        shape, dtype, draw = x.shape, x.dtype, self.draws
        self.draws += 1
        if x.device.type == "cpu":
            return self.draw(shape, dtype, draw)

        # What was drawn ahead is of the right shape, unless it is another picture's turn.
        ahead, self.ahead = self.ahead, None
        if ahead is not None and ahead[0] == (shape, dtype, draw):
            z = ahead[1].result()
        else:
            z = self.draw(shape, dtype, draw, x.is_cuda)
        if self.purpose == "step":
            later = DRAWING.submit(self.draw, shape, dtype, draw + 1, x.is_cuda)
            self.ahead = (shape, dtype, draw + 1), later
        return z.to(x.device, non_blocking=x.is_cuda)

    def draw(
        self, shape: torch.Size, dtype: torch.dtype, draw: int, pinned: bool = False
    ) -> Tensor:
        """A draw by its number, on the CPU; in pinned memory a GPU fetches it by itself."""
        out = torch.empty(shape, dtype=dtype, device="cpu", pin_memory=pinned)
        for image, seed in zip(out, self.seeds, strict=True):
            image.normal_(generator=generator(seed, self.purpose, draw))
        return out


def generator(seed: int, purpose: str, draw: int) -> torch.Generator:
    """The generator of one draw of one image, on the CPU."""
    key = np.random.SeedSequence([seed % 2**64, PURPOSES.index(purpose), draw])
    return torch.Generator().manual_seed(int(key.generate_state(1, np.uint64)[0]) >> 1)


def photons(pixels: Tensor, peak: float, seeds: Iterable[int]) -> Tensor:
    """Add Poisson noise to photos.

    Args:
        pixels: [B, ...] in [0, 1].
        peak: photons at white.
        seeds: of the photos.
    """
    noisy = []
    for image, seed in zip(pixels, seeds, strict=True):
        random = generator(seed, "photons", 0)
        noisy.append(torch.poisson(image.cpu().clamp_min(0) * peak, generator=random) / peak)
    return torch.stack(noisy).to(pixels.device)


def impulses(pixels: Tensor, rate: float, seeds: Iterable[int]) -> Tensor:
    """Add salt and pepper to photos.

    Args:
        pixels: [B, C, H, W] in [0, 1].
        rate: the share of pixels that turn black or white, all channels alike.
        seeds: of the photos.
    """
    out = pixels.clone()
    for image, seed in zip(out, seeds, strict=True):
        random = generator(seed, "impulse", 0)
        u = torch.rand(image.shape[-2:], generator=random).to(pixels.device)
        image[:, u < rate / 2] = 0
        image[:, u > 1 - rate / 2] = 1
    return out
