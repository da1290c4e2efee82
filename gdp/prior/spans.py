"""Where tiles lie along one side of a picture, and how they are weighed: smooth windows that sum to one."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Span(NamedTuple):
    """One tile's extent along one side, and its weights there."""

    start: int
    stop: int
    weight: Tensor  # [stop - start]


def spans(n: int, tile: int, overlap: int, divisor: int, shift: float, like: Tensor) -> list[Span]:
    """n pixels as tiles of about `tile`; all but the first and the last are equally long, a multiple of `divisor`.

    Neighbours share `overlap` pixels around a seam. `shift` in [-1, 1] moves all seams by as many quarters of their distance, so the first
    and last tiles grow and shrink; they reach further inward where that makes them a multiple of `divisor`, with weight zero.
    """
    if n <= tile:
        return [Span(0, n, like.new_ones(n))]
    step = (
        math.ceil((n / math.ceil((n - overlap) / (tile - overlap)) + overlap) / divisor) * divisor
        - overlap
    )
    count = max(2, math.ceil(n / step))
    middle = (n - (count - 2) * step) / 2  # of the first seam's range
    first = int(middle + shift * min(step / 4, middle - overlap / 2) - overlap / 2)
    first = min(
        max(first, int(overlap == 0)), n - (count - 2) * step - max(overlap, 1)
    )  # no tile is empty
    seams = [first + k * step for k in range(count - 1)]
    i = torch.arange(overlap, dtype=torch.float64, device=like.device)
    rise = (0.5 - 0.5 * torch.cos(math.pi * (i + 0.5) / max(overlap, 1))).to(like)
    out = []
    for k in range(count):
        start, stop = seams[k - 1] if k else 0, seams[k] + overlap if k < count - 1 else n
        extra = -(stop - start) % divisor
        low, high = (start, min(n, stop + extra)) if stop < n else (max(0, start - extra), n)
        weight = torch.zeros(high - low, dtype=like.dtype, device=like.device)
        weight[start - low : stop - low] = 1
        if k:
            weight[start - low : start - low + overlap] *= rise
        if k < count - 1:
            weight[stop - low - overlap : stop - low] *= 1 - rise
        out.append(Span(low, high, weight))
    return out
