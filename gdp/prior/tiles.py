"""Where tiles lie in a picture, and how they are weighed: smooth windows that sum to one.

    w(row, column) = w_row(row) x w_column(column)

Each side is cut at evenly spaced seams. A tile reaches half of `overlap` beyond its own pixels, and
there its weight falls to zero as a raised cosine.
"""

import functools
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Span(NamedTuple):
    """One tile's extent along one side, and its weights there."""

    start: int
    stop: int
    weight: Tensor  # [stop - start]


class Tile(NamedTuple):
    """A part of a picture that the network is given."""

    rows: Span
    columns: Span

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def region(self) -> tuple[Any, ...]:
        """The tile as an index of a picture [B, C, H, W]."""
        rows, columns = self
        return ..., slice(rows.start, rows.stop), slice(columns.start, columns.stop)

    def add(self, total: Tensor, part: Tensor) -> None:
        """Add `part` [B, C, h, w] to a picture at the tile's place, weighed, in place."""
        total[self.region] += self.rows.weight[:, None] * self.columns.weight * part


def spans(n: int, tile: int, overlap: int, divisor: int, shift: float, like: Tensor) -> list[Span]:
    """Cut a side of a picture into tiles.

    All but the first and the last are equally long, a multiple of `divisor`. Those two reach
    further inward where that makes them a multiple too, with weight zero.

    Args:
        n: pixels of the side.
        tile: about the pixels of a tile.
        overlap: pixels that neighbours share around a seam.
        divisor: what the network can halve.
        shift: in [-1, 1], moves all seams by as many quarters of their distance.
        like: the type and device of the weights.
    """
    if n <= tile:
        return [Span(0, n, like.new_ones(n))]

    # As few tiles as will do, and then as small ones as will do.
    fewest = math.ceil((n - overlap) / (tile - overlap))
    step = math.ceil((n / fewest + overlap) / divisor) * divisor - overlap
    count = max(2, math.ceil(n / step))

    # The first seam moves about the middle of its range, and no tile is empty.
    middle = (n - (count - 2) * step) / 2
    first = int(middle + shift * min(step / 4, middle - overlap / 2) - overlap / 2)
    last = n - (count - 2) * step - max(overlap, 1)
    first = min(max(first, int(overlap == 0)), last)
    seams = [first + k * step for k in range(count - 1)]

    rise = raised_cosine(overlap, like.dtype, like.device)
    cut = []
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
        cut.append(Span(low, high, weight))
    return cut


@functools.lru_cache(8)
def raised_cosine(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """n weights from 0 to 1, made once: on the CPU, as not every device has float64."""
    i = torch.arange(n, dtype=torch.float64)
    return (0.5 - 0.5 * torch.cos(math.pi * (i + 0.5) / max(n, 1))).to(device, dtype)
