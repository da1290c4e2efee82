"""A prior evaluated in tiles: pictures of any size in bounded memory, at about the cost of one pass over their pixels.

    eps(x, t) = sum_k w_k eps_k(x_k, t),    sum_k w_k = 1,    w_k = w_row x w_column

Each side is cut at evenly spaced seams; a tile reaches half of `overlap` beyond its own, and there its weight falls to zero as a raised
cosine. What is blended is eps, which is the same as blending x0: each is linear in the other at a given x_t. The mean of two estimates has
less variance than one, so `overlap` is best small. `moving` then shifts the seams at every step, by up to a quarter of their distance
either way; by how much is a function of t alone (Weyl's fractions of k t^2, which spread evenly along any times that a schedule strides
through), so a result depends neither on its batch nor on where it was resumed.
"""

from itertools import groupby, product
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gdp.prior.prior import Prior
from gdp.prior.spans import Span, spans

LEAST = 256  # a tile's side, where the network was trained on smaller pictures than that
PLASTIC = (
    0.7548776662466927,
    0.5698402909980532,
)  # k of rows and of columns: the golden ratio's counterpart in two dimensions
AT_ONCE = {
    "cpu": 2**16,
    "cuda": 2**21,
}  # the most pixels in a call of the network; 512 channels are 2^30 elements
SHARE, KEPT = (
    0.5,
    16,
)  # of the free memory; feature maps of the first level that a call holds at its peak

Out = tuple[Tensor, Tensor | None]
Place = tuple[Span, Span]  # rows, columns


class TiledPrior(Prior):
    """`prior` in tiles of about `tile` pixels a side, as many at once as memory bears; pictures of at most `full` pixels stay whole.

    `tile` = None is the side that the network was trained on, and 256 at least. `calls` counts predictions of the picture, `pixels` what
    the network evaluated for them. Where x requires gradients, tiles are evaluated again on the way back and only their input is kept.
    """

    def __init__(
        self,
        prior: Prior,
        tile: int | None = None,
        overlap: int = 16,
        moving: bool = True,
        full: int = 0,
    ):
        self.wrap(prior)
        self.prior = prior
        self.divisor = getattr(prior.net, "divisor", 1)
        self.tile = max(LEAST, getattr(prior.net, "image_size", 0)) if tile is None else tile
        self.overlap, self.moving, self.full = overlap, moving, full
        for name, value, least in (
            ("tile", self.tile, self.divisor),
            ("overlap", overlap, 0),
            ("full", full, 0),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"tiling.{name}={value!r}; it is a whole number of pixels, {least} or more"
                )
        if 2 * overlap > self.tile:
            raise ValueError(
                f"tiling.overlap={overlap} is more than half of a tile of {self.tile}; choose less"
            )
        self.at_once: int | None = (
            None  # pixels in a call of the network, once the memory was asked or has shown its bounds
        )

    def state(self) -> dict[str, Any] | None:
        return self.prior.state()

    def resume(self, state: dict[str, Any] | None) -> None:
        self.prior.resume(state)

    def predict(self, x: Tensor, t: int) -> Out:
        before = self.prior.pixels
        out = self.whole(x, t) if x.shape[-2] * x.shape[-1] <= self.full else None
        if out is None:
            out = self.blended(x, t)
        self.pixels += self.prior.pixels - before
        return out

    def whole(self, x: Tensor, t: int) -> Out | None:
        """The picture in one piece; None, and tiles from then on, where memory does not bear it."""
        before = self.prior.pixels
        try:
            return self.prior.predict(x, t)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
        self.prior.pixels, self.full = before, 0
        return None

    def blended(self, x: Tensor, t: int) -> Out:
        """The weighted sum of the tiles; those of one shape share calls of the network, those where x0 is known need none."""
        rows, columns = (self.spans(n, t, k, x) for n, k in zip(x.shape[-2:], PLASTIC, strict=True))
        eps, v = torch.zeros_like(x), None
        spared: list[Place] = []
        asked: list[Place] = []
        for place in product(rows, columns):
            (spared if self.knows(place, x) else asked).append(place)
        done, total = len(spared), len(spared) + len(asked)
        for (h, w), same in groupby(sorted(asked, key=shape), shape):
            left = list(same)
            while left:
                count = max(1, self.pixels_at_once(x.device) // (len(x) * h * w))
                places, left = left[:count], left[count:]
                parts, parts_v = self.evaluated(torch.cat([x[where(p)] for p in places]), t)
                add(eps, parts, places)
                if parts_v is not None:
                    v = torch.zeros_like(x) if v is None else v
                    add(v, parts_v, places)
                done += len(places)
                if self.on_part is not None:
                    self.on_part(done / total)
        for p in spared:
            assert self.settled is not None
            x0, a = self.settled.x0[where(p)], self.a(t)
            add(eps, (x[where(p)] - a**0.5 * x0) / (1 - a) ** 0.5, [p])
            if v is not None:
                add(v, -torch.ones_like(x0), [p])  # the variance of x_s where x0 is known
        return eps, v

    def knows(self, place: Place, x: Tensor) -> bool:
        """Whether x0 is settled in all of a tile, so that the network need not be asked."""
        known = self.settled
        return (
            known is not None
            and known.where.shape[-2:] == x.shape[-2:]
            and bool(known.where[where(place)].all())
        )

    def spans(self, n: int, t: int, k: float, like: Tensor) -> list[Span]:
        """The tiles along a side of n pixels at t."""
        shift = 2 * (k * t**2 % 1) - 1 if self.moving else 0.0
        return spans(n, self.tile, self.overlap, self.divisor, shift, like)

    def pixels_at_once(self, device: torch.device) -> int:
        """How many pixels of tiles a call of the network should take."""
        if self.at_once is not None:
            return self.at_once
        if device.type != "cuda" or self.net is None:
            return AT_ONCE["cpu"]
        weight = next(self.net.parameters())
        bytes_a_pixel = KEPT * weight.element_size() * getattr(self.net, "model_channels", 256)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free = torch.cuda.mem_get_info(device)[0] + cached
        self.at_once = min(
            AT_ONCE["cuda"], int(SHARE * free / bytes_a_pixel)
        )  # once: batches of one size at every step
        return self.at_once

    def evaluated(self, tiles: Tensor, t: int) -> Out:
        """The network on tiles [K, C, h, w]; in halves, and from then on so, where memory does not bear it."""
        before = self.prior.pixels
        try:
            if torch.is_grad_enabled() and tiles.requires_grad:
                return checkpoint(self.prior.part, tiles, t, use_reentrant=False)
            return self.prior.part(tiles, t)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if len(tiles) == 1:
                size = f"{tiles.shape[-1]}x{tiles.shape[-2]}"
                raise ValueError(
                    f"memory does not bear the network on one tile of {size}; choose a smaller tiling.tile"
                ) from None
        self.prior.pixels, self.at_once = (
            before,
            len(tiles) // 2 * tiles.shape[-2] * tiles.shape[-1],
        )
        (eps, v), (eps2, v2) = (self.evaluated(half, t) for half in tiles.chunk(2))
        return torch.cat([eps, eps2]), None if v is None or v2 is None else torch.cat([v, v2])


def untiled(prior: Prior) -> Prior:
    """The prior itself: whole pictures, of whatever size."""
    return prior


def shape(place: Place) -> tuple[int, int]:
    """Height and width of a tile."""
    row, column = place
    return row.stop - row.start, column.stop - column.start


def where(place: Place) -> tuple[Any, ...]:
    """A tile as an index of a picture [B, C, H, W]."""
    row, column = place
    return ..., slice(row.start, row.stop), slice(column.start, column.stop)


def add(total: Tensor, parts: Tensor, places: list[Place]) -> None:
    """Add tiles, [B, C, h, w] for each place in a row, with their weights, in place."""
    for part, place in zip(parts.chunk(len(places)), places, strict=True):
        row, column = place
        total[where(place)] += row.weight[:, None] * column.weight * part


def out_of_memory(error: RuntimeError) -> bool:
    """Whether memory ran out: CUDA's own error, or the words of the CPU's allocator."""
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        words in str(error) for words in ("allocate memory", "enough memory")
    )
