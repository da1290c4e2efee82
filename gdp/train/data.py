"""Batches for training: how many crops of which size each step takes, drawn ahead by threads."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gdp.train.photos import Draw, Photos

# Batches that are drawn while one is trained on
BATCHES_AHEAD = 2


class Batch(NamedTuple):
    """Draws as tensors, in channels_last memory.

    Attributes:
        x0: crops [B, 3, s, s] in [-1, 1].
        eps: noise [B, 3, s, s].
        u: fractions of the diffusion time [B], in [0, 1).
    """

    x0: Tensor
    eps: Tensor
    u: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Copy the batch to a device."""
        return Batch(*(part.to(device, non_blocking=True) for part in self))


def collate(draws: Sequence[Draw]) -> Batch:
    """Stack draws of one size to a batch."""
    crops, eps, u = zip(*draws, strict=True)
    x0 = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return Batch(x0, torch.from_numpy(np.stack(eps)).permute(0, 3, 1, 2), torch.tensor(u))


class Rung(NamedTuple):
    """A stretch of training at one crop size.

    Attributes:
        size: the crop's side.
        items: crops in a batch.
        end: fraction of the whole training at which it ends.
    """

    size: int
    items: int
    end: float


def ladder(text: str, full: int, items: int, divisor: int) -> list[Rung]:
    """Read the sizes of crops over the course of training.

    Args:
        text: "size:fraction[:items],...", such as "32:0.5,64:0.5".
        full: the size at which a batch has `items` crops; at others it has as many pixels, unless
            its part says how many items.
        items: crops in a batch of full size.
        divisor: what sizes must be multiples of.

    Raises:
        ValueError: a part or the sum of the fractions is not as it must be.
    """
    rungs, end = [], 0.0

    for part in text.split(","):
        # size:fraction[:items]
        try:
            size, fraction, *own = part.split(":")
            end += float(fraction)
            same_pixels = round(items * (full / int(size)) ** 2)
            rung = Rung(int(size), int(own[0]) if own else max(1, same_pixels), end)
        except (ValueError, ZeroDivisionError):
            raise ValueError(
                f"{part!r} in the size ladder; it is size:fraction or size:fraction:batch, "
                "such as 32:0.5"
            ) from None

        # Sizes that the UNet can halve
        if rung.size < 1 or rung.size % divisor or rung.items < 1:
            raise ValueError(
                f"{part!r} in the size ladder; sizes must be multiples of {divisor} for this UNet, "
                "batches 1 or more"
            )
        rungs.append(rung)

    if abs(end - 1) > 1e-3:
        raise ValueError(
            f"the fractions of the size ladder {text} add up to {end:g}; they must add up to 1"
        )
    return rungs


def batches(
    photos: Photos,
    seed: int,
    first: int,
    plan: Callable[[int], tuple[int, int]],
    rank: int,
    world: int,
    workers: int,
) -> Generator[Batch, None, None]:
    """Yield the batches from a step on, prefetched by threads.

    Args:
        photos: what crops are drawn from.
        seed: of all draws.
        first: the step of the first batch.
        plan: from a step to (crop size, items of the batch over all processes).
        rank: this process; it draws every `world`th item.
        world: number of processes.
        workers: number of threads.
    """
    pool = ThreadPoolExecutor(workers)
    queue: deque[list[Future[Draw]]] = deque()

    try:
        for step in count(first):
            # Ask for the batch of a later step
            size, items = plan(step)
            queue.append(
                [pool.submit(photos.draw, seed, step, i, size) for i in range(rank, items, world)]
            )

            # Hand out the oldest one
            if len(queue) > BATCHES_AHEAD:
                yield collate([draw.result() for draw in queue.popleft()])
    finally:
        pool.shutdown(cancel_futures=True)
