"""A ResBlock's gradients by kernels of our own.

Samplers that look through the network (DPS, MCG, PiGDM) want the gradient in its input only: there
nothing but the input is saved, and the first of the two convolutions runs again on the way back.
So it is on CPUs and GPUs, where attention's normalization and the head's have a form of their own,
too. A network that is trained wants gradients in the weights as well, and saves that convolution's
result: on CPUs.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gdp.network.blocks import ResBlock
from gdp.network.fused import HalfBlock, conv_input, convolutions, first_half, second_half
from gdp.network.kernels import cpu, cpu_backward, cuda
from gdp.network.kernels.interface import channels_last


def ready(block: ResBlock, x: Tensor, emb: Tensor) -> Any:
    """The kernels by which a ResBlock can run here on x, and gradients be known; or None.

    In training these are all; otherwise only those in x and in its skip connection.
    """
    if block.training:
        # Blocks of which all_gradients knows every part.
        dropout, resized_twice = block.out_layers[2].p, block.narrows and block.resample
        known = block.scale_shift and dropout == 0 and not resized_twice
        if not known or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
            return None
    elif emb.requires_grad or any(p.requires_grad for p in block.parameters()):
        return None
    layers = convolutions(block)
    if cpu.supports(x, layers, adjoint=True):
        return cpu
    return cuda if not block.training and cuda.supports(x, [block], adjoint=True) else None


def run(block: ResBlock, kernels: Any, x: Tensor, emb: Tensor, skip: Tensor | None) -> Tensor:
    """ResBlock.forward by kernels that are `ready`, which can be differentiated."""
    return FusedBlock.apply(block, kernels, x, block.emb_layers(emb), skip, *weights(block))


def weights(block: ResBlock) -> list[nn.Parameter]:
    """The parameters of a block, but for those of its embedding."""
    parts = block.in_layers, block.out_layers, block.skip_connection
    return [p for part in parts for p in part.parameters()]


class FusedBlock(torch.autograd.Function):
    """A ResBlock by the kernels: its gradients in x, in e, in skip and in `weights`.

    e is what the block's emb_layers make of the embedding; torch takes the gradient on from there.
    """

    @staticmethod
    def forward(
        ctx: Any,
        block: ResBlock,
        kernels: Any,
        x: Tensor,
        e: Tensor,
        skip: Tensor | None,
        *_: Tensor,
    ) -> Tensor:
        """The block's result; the weights are arguments so that torch asks for their gradients."""
        ctx.block, ctx.kernels = block, kernels
        half = first_half(block, kernels, x, e, skip)
        ctx.save_for_backward(x, e, skip, *(half[1:] if block.training else ()))
        return second_half(block, kernels, half, skip)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients in the arguments of `forward`, of the one in its result."""
        x, e, skip, *saved = ctx.saved_tensors
        if not saved:
            dx, dskip = input_gradient(ctx.block, ctx.kernels, g, x, e, skip)
            return None, None, dx, None, dskip, *[None] * (len(ctx.needs_input_grad) - 5)

        dx, de, *dweights = all_gradients(ctx.block, g, x, e, skip, HalfBlock(x, *saved))
        c = x.shape[1]
        return None, None, dx[:, :c], de, None if skip is None else dx[:, c:], *dweights


def input_gradient(
    block: ResBlock, kernels: Any, g: Tensor, x: Tensor, e: Tensor, skip: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The gradients of <g, the block's result> in x and in skip."""
    _, norms_in, h, norms_out = first_half(block, kernels, x, e, skip)
    norm_in, _, conv_in = block.in_layers
    norm_out, *_, conv_out = block.out_layers

    # Back through the second convolution, SiLU and normalization.
    da = kernels.conv3x3(g, None, None, conv_out, adjoint=True)
    lacks = kernels.lacking(h, conv_in, None if block.scale_shift else e)
    dh, _ = kernels.activate_backward(h, None, norms_out, da, None, norm_out, lacks)
    del h, da

    # Back through the first convolution, normalization and the skip connection.
    da = kernels.conv3x3(dh, None, None, conv_in, adjoint=True)
    del dh
    da, g = through_resampling(block, kernels, da, g)
    out: tuple[Tensor, Tensor | None] = kernels.activate_backward(x, skip, norms_in, da, g, norm_in)
    return out


def all_gradients(
    block: ResBlock, g: Tensor, x: Tensor, e: Tensor, skip: Tensor | None, half: HalfBlock
) -> list[Tensor]:
    """The gradients of <g, the block's result> in [x, skip], in e, and in `weights`.

    Args:
        block: a ResBlock in training, which `ready` allows.
        g: the gradient in its result [B, O, H', W'].
        x: what it read, like `e` and `skip`.
        half: its first half, but for the field x.
    """
    _, norms_in, h, norms_out = half
    norm_in, _, conv_in = block.in_layers
    norm_out, *_, conv_out = block.out_layers
    totals_in, totals_out = torch.empty_like(norms_in), torch.empty_like(norms_out)
    da = cpu.conv3x3(g, None, None, conv_out, adjoint=True)
    dh = cpu_backward.activate_backward(h, None, norms_out, da, None, norm_out, totals_out)

    # In the convolutions: weight and bias.
    x_in, skip_in, ab, up = conv_input(block, cpu, x, skip, norms_in)
    of_conv_in = [
        cpu_backward.conv3x3_weight_backward(dh, x_in, skip_in, ab, up),
        dh.sum((0, 2, 3)),
    ]
    of_conv_out = [
        cpu_backward.conv3x3_weight_backward(g, h, None, norms_out),
        g.sum((0, 2, 3)),
    ]
    of_skip = []
    if block.narrows:
        taps = [pixels(g).T @ pixels(part) for part in (x, skip) if part is not None]
        of_skip = [torch.cat(taps, 1)[..., None, None], g.sum((0, 2, 3))]

    # In the input.
    da = cpu.conv3x3(dh, None, None, conv_in, adjoint=True)
    da, g = through_resampling(block, cpu, da, g)
    dx = cpu_backward.activate_backward(x, skip, norms_in, da, g, norm_in, totals_in)

    # In e = [scale, shift] and in the normalizations: weight and bias.
    (bias_in, weight_in), (shift, scale) = totals_in, totals_out
    de = torch.cat([scale * norm_out.weight + shift * norm_out.bias, shift], 1)
    gain = 1 + e.chunk(2, 1)[0]
    of_norm_in = [weight_in.sum(0), bias_in.sum(0)]
    of_norm_out = [(gain * scale).sum(0), (gain * shift).sum(0)]
    return [dx, de, *of_norm_in, *of_conv_in, *of_norm_out, *of_conv_out, *of_skip]


def through_resampling(
    block: ResBlock, kernels: Any, da: Tensor, g: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradient in the first activation, and the skip connection's in [x, skip].

    A sum hands its gradient on to both terms: g, in the block's result, is that of the skip
    connection too.
    """
    if block.narrows:
        g = kernels.conv1x1(g, None, block.skip_connection, adjoint=True)
    if block.resample is not None:
        da, g = block.resample.adjoint(da), block.resample.adjoint(g)
    return da, g


def normalized(x: Tensor, norm: nn.Module, silu: bool) -> Tensor | None:
    """GroupNorm(x), or its SiLU, by the GPU's kernels and with gradients; None where they lack."""
    if any(p.requires_grad for p in norm.parameters()) or not cuda.supports(x, [norm], True):
        return None
    return Normalized.apply(x, norm, silu)


class Normalized(torch.autograd.Function):
    """GroupNorm, and SiLU, on a GPU: only what it reads is saved."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: nn.Module, silu: bool) -> Tensor:
        """What x [B, C, H, W] becomes."""
        ab = cuda.norms(x, None, norm)
        ctx.norm, ctx.silu = norm, silu
        ctx.save_for_backward(x, ab)
        return cuda.activate(x, ab, silu=silu)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None, None]:
        """The gradient in x."""
        x, ab = ctx.saved_tensors
        dx, _ = cuda.activate_backward(x, None, ab, g, None, ctx.norm, silu=ctx.silu)
        return dx, None, None


def pixels(x: Tensor) -> Tensor:
    """[B, C, H, W] as [B H W, C]."""
    rows: Tensor = channels_last(x).permute(0, 2, 3, 1).flatten(0, 2)
    return rows
