"""A ResBlock's gradients by the CPU's kernels: in its input, for what looks through the network (DPS, MCG, PiGDM), and in its weights.

Where only the input's is wanted, nothing but the input is kept for the way back: there the first of the two convolutions is made again.
A network that is trained keeps that one's result.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gdp.network.kernels import cpu as kernels


def ready(block: Any, x: Tensor, emb: Tensor) -> bool:
    """Whether a ResBlock can run here on x: float32 on a CPU; in training, or with no gradients wanted but those in x and skip."""
    if block.training:
        plain = (
            block.scale_shift
            and block.out_layers[2].p == 0
            and not (block.narrows and block.resample)
        )
        if not plain or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
            return False
    elif emb.requires_grad or any(p.requires_grad for p in block.parameters()):
        return False
    return kernels.known(x, block.convs(), back=True)


def run(block: Any, x: Tensor, emb: Tensor, skip: Tensor | None) -> Tensor:
    """The block's output, which can be differentiated."""
    return FusedBlock.apply(block, x, block.emb_layers(emb), skip, *weights(block))


def weights(block: Any) -> list[nn.Parameter]:
    """The parameters of a block, but for those of its embedding."""
    return [
        p
        for part in (block.in_layers, block.out_layers, block.skip_connection)
        for p in part.parameters()
    ]


class FusedBlock(torch.autograd.Function):
    """A ResBlock by the kernels, with its gradients in x, in e, which it makes of the embedding, in skip and in `weights`."""

    @staticmethod
    def forward(
        ctx: Any, block: Any, x: Tensor, e: Tensor, skip: Tensor | None, *_: Tensor
    ) -> Tensor:
        """The block's output."""
        ctx.block = block
        half = block.halfway(kernels, x, e, skip)
        ctx.save_for_backward(x, e, skip, *(half[1:] if block.training else ()))
        return block.whole(kernels, half, skip)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients in them, of the one in the output."""
        x, e, skip, *half = ctx.saved_tensors
        learnt: list[Any] = [None] * (len(ctx.needs_input_grad) - 3)
        if half:
            dx, *learnt = taught(ctx.block, g, x, e, skip, *half)
        else:
            dx = pulled(ctx.block, g, x, e, skip)
        return (
            None,
            dx[:, : x.shape[1]],
            learnt[0],
            None if skip is None else dx[:, x.shape[1] :],
            *learnt[1:],
        )


def pulled(block: Any, g: Tensor, x: Tensor, e: Tensor, skip: Tensor | None) -> Tensor:
    """The gradient in [x, skip] of <g, the block's output>."""
    norm_in, _, conv_in = block.in_layers
    norm_out, *_, conv_out = block.out_layers
    _, ab_in, h, ab_out = block.halfway(kernels, x, e, skip)
    dh = kernels.pull(
        h, None, ab_out, kernels.conv3x3(g, None, None, conv_out, back=True), None, norm_out
    )
    del h
    da = kernels.conv3x3(dh, None, None, conv_in, back=True)
    del dh
    if block.narrows:
        g = kernels.conv1x1(g, None, block.skip_connection, back=True)
    if block.resample is not None:
        da, g = block.resample.back(da), block.resample.back(g)
    return kernels.pull(x, skip, ab_in, da, g, norm_in)


def taught(
    block: Any,
    g: Tensor,
    x: Tensor,
    e: Tensor,
    skip: Tensor | None,
    ab_in: Tensor,
    h: Tensor,
    ab_out: Tensor,
) -> list[Tensor]:
    """The gradients of <g, the block's output> in [x, skip], in e, and in `weights`; h is its first convolution's result."""
    norm_in, _, conv_in = block.in_layers
    norm_out, *_, conv_out = block.out_layers
    totals = [torch.empty_like(ab_in), torch.empty_like(ab_out)]
    dh = kernels.pull(
        h,
        None,
        ab_out,
        kernels.conv3x3(g, None, None, conv_out, back=True),
        None,
        norm_out,
        totals[1],
    )
    (seen, more, ab), up = block.entry(kernels, x, skip, ab_in)
    of_conv_in = kernels.weights3x3(dh, seen, more, ab, up), over_pixels(dh)
    of_conv_out = kernels.weights3x3(g, h, None, ab_out), over_pixels(g)
    da, of_skip = kernels.conv3x3(dh, None, None, conv_in, back=True), []
    if block.narrows:
        taps = [pixels(g).T @ pixels(part) for part in (x, skip) if part is not None]
        of_skip = [torch.cat(taps, 1)[..., None, None], over_pixels(g)]
        g = kernels.conv1x1(g, None, block.skip_connection, back=True)
    if block.resample is not None:
        da, g = block.resample.back(da), block.resample.back(g)
    dx = kernels.pull(x, skip, ab_in, da, g, norm_in, totals[0])
    (bias_in, weight_in), (shift, scale) = totals
    film = 1 + e.chunk(2, 1)[0]
    de = torch.cat([scale * norm_out.weight + shift * norm_out.bias, shift], 1)
    of_norm_in, of_norm_out = (
        (weight_in.sum(0), bias_in.sum(0)),
        ((film * scale).sum(0), (film * shift).sum(0)),
    )
    return [dx, de, *of_norm_in, *of_conv_in, *of_norm_out, *of_conv_out, *of_skip]


def over_pixels(g: Tensor) -> Tensor:
    """The gradient in a bias."""
    return g.sum((0, 2, 3))


def pixels(x: Tensor) -> Tensor:
    """[B, C, H, W] as [B H W, C]."""
    return kernels.channels_last(x).permute(0, 2, 3, 1).flatten(0, 2)
