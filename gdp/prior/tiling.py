"""A prior in tiles: pictures of any size in bounded memory, for about one pass over their pixels.

    eps(x, t) = sum_k w_k eps_k(x_k, t),    sum_k w_k = 1

What is blended is eps, which is the same as blending x0: each is linear in the other at a given
x_t. The mean of two estimates has less variance than one, so `overlap` is best small. `moving` then
shifts the seams at every step, by up to a quarter of their distance either way; by how much is a
function of t alone (Weyl's fractions of k t^2, which spread evenly along any times that a schedule
strides through), so a result depends neither on its batch nor on where it was resumed.
"""

from collections.abc import Callable
from itertools import groupby, product, starmap
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

from gdp.prior.again import EvaluatedAgain
from gdp.prior.memory import Budget, TooLargeError, out_of_memory
from gdp.prior.prior import Prior
from gdp.prior.tiles import Span, Tile, spans

# The least side of a tile that is chosen, for networks trained on smaller pictures: pixels
LEAST_SIDE = 256

# k of rows and of columns: the golden ratio's counterpart in two dimensions
PLASTIC = (0.7548776662466927, 0.5698402909980532)

EpsAndV = tuple[Tensor, Tensor | None]


class TiledPrior(Prior):
    """A prior in tiles, as many at once as memory bears.

    Where x requires gradients, tiles are evaluated again on the way back, and only their input is
    kept till then. `calls` counts predictions of the picture, `pixels` what the network evaluated.

    Args:
        prior: evaluates the tiles.
        tile: about the pixels of a tile's side; None for the side that the network was trained on,
            and 256 at least.
        overlap: pixels that neighbours share.
        moving: whether seams move from step to step.
        full: pictures of at most so many pixels stay whole.

    Raises:
        ValueError: a number of pixels is none, or the overlap is more than half of a tile.
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
        self.tile = max(LEAST_SIDE, getattr(prior.net, "image_size", 0)) if tile is None else tile
        self.overlap, self.moving, self.full = overlap, moving, full
        self.budget = Budget()

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

    def state(self) -> dict[str, Any] | None:
        return self.prior.state()

    def resume(self, state: dict[str, Any] | None) -> None:
        self.prior.resume(state)

    def predict(self, x: Tensor, t: int) -> EpsAndV:
        before, out = self.prior.pixels, None

        # A small picture stays whole, if memory bears it.
        if x.shape[-2] * x.shape[-1] <= self.full:
            try:
                out = self.whole(x, t)
            except TooLargeError:
                self.prior.pixels, self.full = before, 0  # tiles from now on

        if out is None:
            out = self.blend(x, t)
        self.pixels += self.prior.pixels - before
        return out

    def whole(self, x: Tensor, t: int) -> EpsAndV:
        """eps and v of whole pictures: of all at once, or of as many as memory bears."""
        before, wanted = self.prior.pixels, torch.is_grad_enabled() and x.requires_grad
        known = self.budget.known(self.net, x.device, wanted)
        if known is not None and len(x) > 1 and x[:, 0].numel() > known:
            return self.evaluate(x, t)

        try:
            return self.prior.predict(x, t)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        self.prior.pixels = before
        self.budget.shrink(x.shape, wanted)
        self.prior.graphs.drop()
        return self.evaluate(x, t)

    def blend(self, x: Tensor, t: int) -> EpsAndV:
        """eps and v as the weighted sum of those of tiles."""
        rows, columns = (self.spans(n, t, k, x) for n, k in zip(x.shape[-2:], PLASTIC, strict=True))
        tiles = list(starmap(Tile, product(rows, columns)))
        known: list[Tile] = []
        unknown: list[Tile] = []
        for tile in tiles:
            (known if self.is_known(tile, x) else unknown).append(tile)

        # Tiles of one shape share calls of the network.
        eps, v = torch.zeros_like(x), None
        done = len(known)
        shape = attrgetter("shape")
        for (h, w), group in groupby(sorted(unknown, key=shape), shape):
            left = list(group)
            while left:
                count = max(1, self.budget.at_once(self.net, x.device) // (len(x) * h * w))
                batch, left = left[:count], left[count:]
                parts, parts_v = self.evaluate(torch.cat([x[tile.region] for tile in batch]), t)
                for tile, part in zip(batch, parts.chunk(len(batch)), strict=True):
                    tile.add(eps, part)
                if parts_v is not None:
                    v = torch.zeros_like(x) if v is None else v
                    for tile, part in zip(batch, parts_v.chunk(len(batch)), strict=True):
                        tile.add(v, part)

                done += len(batch)
                if self.on_part is not None:
                    self.on_part(done / len(tiles))

        # Where x0 is known in all of a tile, so is eps; v = -1 is the variance of x_s there.
        for tile in known:
            assert self.known is not None
            x0, a = self.known.x0[tile.region], self.a(t)
            tile.add(eps, (x[tile.region] - a**0.5 * x0) / (1 - a) ** 0.5)
            if v is not None:
                tile.add(v, -torch.ones_like(x0))
        return eps, v

    def is_known(self, tile: Tile, x: Tensor) -> bool:
        """Whether x0 is known in all of a tile, so that the network may be spared."""
        known = self.known
        return (
            known is not None
            and known.where.shape[-2:] == x.shape[-2:]
            and bool(known.where[tile.region].all())
        )

    def spans(self, n: int, t: int, k: float, like: Tensor) -> list[Span]:
        """The tiles along a side of n pixels at time t; k is of PLASTIC."""
        shift = 2 * (k * t**2 % 1) - 1 if self.moving else 0.0
        return spans(n, self.tile, self.overlap, self.divisor, shift, like)

    def evaluate(self, tiles: Tensor, t: int) -> EpsAndV:
        """The network on tiles [K, C, h, w], as many at a time as memory bears."""
        if torch.is_grad_enabled() and tiles.requires_grad:
            eps, v = EvaluatedAgain.apply(self, tiles, t)
            return eps, v
        return self.in_parts(lambda part: self.prior.predict_tiles(part, t), tiles)

    def in_parts(
        self, work: Callable[[Tensor], EpsAndV], tiles: Tensor, differentiated: bool = False
    ) -> EpsAndV:
        """`Budget.in_parts` of work by this prior's network; what failed is not counted."""
        before = self.prior.pixels

        def counted(part: Tensor) -> EpsAndV:
            nonlocal before
            self.prior.pixels = before
            out = work(part)
            before = self.prior.pixels
            return out

        drop = self.prior.graphs.drop
        return self.budget.in_parts(counted, tiles, self.net, drop, differentiated)


def untiled(prior: Prior) -> Prior:
    """The prior itself: whole pictures, of whatever size."""
    return prior
