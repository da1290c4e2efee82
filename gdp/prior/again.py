"""Tiles that gradients are wanted through: evaluated again on the way back."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class EvaluatedAgain(torch.autograd.Function):
    """Tiles through the network, of which nothing but the input is kept for the way back.

    There they are evaluated again, as many at a time as memory bears; so running out of it is no
    more an error on the way back than on the way there.
    """

    @staticmethod
    def forward(ctx: Any, prior: Any, tiles: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        """eps and v of tiles [K, C, h, w] by `prior`, a TiledPrior."""
        ctx.prior, ctx.t = prior, t
        ctx.save_for_backward(tiles)
        out: tuple[Tensor, Tensor | None] = prior.evaluate(tiles.detach(), t)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, Tensor, None]:
        """The gradient in the tiles."""
        (tiles,) = ctx.saved_tensors
        inner = ctx.prior.prior
        C, given, pixels = tiles.shape[1], [g for g in gradients if g is not None], inner.pixels

        def pull(part: Tensor) -> tuple[Tensor, Tensor | None]:
            x, *pulls = part.split(C, 1)
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                out = inner.predict_tiles(x, ctx.t)
                kept = [
                    o
                    for o, g in zip(out, gradients, strict=True)
                    if o is not None and g is not None
                ]
                return torch.autograd.grad(kept, x, pulls)[0], None

        out, _ = ctx.prior.in_parts(pull, torch.cat([tiles, *given], 1), differentiated=True)
        inner.pixels = pixels
        return None, out, None
