"""Gradients through a network in float16, whose least number above 0 is 6e-8.

A guidance's gradients are as small as its pixels are many: many would be rounded to 0, or coarsely.
So each picture's is multiplied by a power of two on its way into the network, by which it is about
1, and divided by it where it comes out; that changes no bit of what float16 holds anyway. The same
is done when networks are trained in float16 (Micikevicius et al., "Mixed precision training", ICLR
2018, Section 3.2), there with one number for all.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LEAST = 1e-30  # a gradient of 0 stays what it is


def through_half(net: nn.Module, call: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """call(z), its gradient in z computed in numbers that float16 holds where the network is in it.

    Args:
        net: the network.
        call: evaluates it.
        z: [B, C, H, W].
    """
    wanted = torch.is_grad_enabled() and z.requires_grad
    if not wanted or all(p.dtype != torch.float16 for p in net.parameters()):
        return call(z)
    scales: list[Tensor] = []
    out: Tensor = Scaled.apply(call(Unscaled.apply(z, scales)), scales)
    return out


class Scaled(torch.autograd.Function):
    """The same; its gradient times a power of two for each picture, which is put into a list."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scales: list[Tensor]) -> Tensor:
        """x."""
        ctx.scales = scales
        return x.view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        """g in float32, of a largest value between 1 and 2."""
        g = g.float()
        largest = g.abs().amax((1, 2, 3), keepdim=True).clamp_min(LEAST)
        ctx.scales[:] = [torch.exp2(-largest.log2().floor())]
        return g * ctx.scales[0], None


class Unscaled(torch.autograd.Function):
    """The same; its gradient divided by what `Scaled` multiplied it by."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scales: list[Tensor]) -> Tensor:
        """x."""
        ctx.scales = scales
        return x.view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        """g in float32, at its own size."""
        return g.float() / ctx.scales[0], None
