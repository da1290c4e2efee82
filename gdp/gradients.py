"""A ResBlock's gradient in its input by the CPU's kernels, for what looks through the network: DPS, MCG, PiGDM.

Nothing is kept for the way back but the input. There the first of the two convolutions is made again, and both are run in reverse.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdp import cpu_kernels as kernels


def ready(block: Any, x: Tensor, emb: Tensor) -> bool:
    """Whether a ResBlock can run here on x: float32 on a CPU, no gradients wanted but those in x and skip."""
    trained = emb.requires_grad or any(p.requires_grad for p in block.parameters())
    return not trained and kernels.known(x, block.convs(), back=True)


class FusedBlock(torch.autograd.Function):
    """ResBlock.fused, with its gradient in x and skip."""

    @staticmethod
    def forward(ctx: Any, block: Any, x: Tensor, emb: Tensor, skip: Tensor | None) -> Tensor:
        """The block's output."""
        ctx.block = block
        ctx.save_for_backward(x, emb, skip)
        return block.fused(kernels, x, emb, skip)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[None, Tensor, None, Tensor | None]:
        """The gradients in x and skip, of the one in the output."""
        x, emb, skip = ctx.saved_tensors
        dx = pulled(ctx.block, g, x, emb, skip)
        return None, dx[:, : x.shape[1]], None, None if skip is None else dx[:, x.shape[1] :]


def pulled(block: Any, g: Tensor, x: Tensor, emb: Tensor, skip: Tensor | None) -> Tensor:
    """The gradient in [x, skip] of <g, the block's output>."""
    norm_in, _, conv_in = block.in_layers
    norm_out, *_, conv_out = block.out_layers
    _, ab_in, h, ab_out = block.halfway(kernels, x, emb, skip)
    dh = kernels.pull(h, None, ab_out, kernels.conv3x3(g, None, None, conv_out, back=True), None, norm_out)
    del h
    da = kernels.conv3x3(dh, None, None, conv_in, back=True)
    del dh
    if block.narrows:
        g = kernels.conv1x1(g, None, block.skip_connection, back=True)
    if block.resample is not None:
        da, g = block.resample.back(da), block.resample.back(g)
    return kernels.pull(x, skip, ab_in, da, g, norm_in)
