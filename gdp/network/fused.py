"""The blocks of gdp/network/blocks.py by kernels of our own: the same numbers in fewer passes.

A picture is read once to be normalized, which gives a and b for each of its channels, and once to
be convolved, which activates a x + b, joins what a skip connection brings, enlarges and adds the
residual on its way:

    plain                                      here
    cat, GroupNorm                             a, b = norms(x, skip)
    SiLU, Double, conv                         h = conv3x3(x, skip, a, b)
    GroupNorm, (1 + scale) h + shift           a, b = norms(h, film)
    SiLU, conv, + skip_connection(cat)         conv3x3(h, a, b, residual = conv1x1(x, skip))

The kernels know no gradients; gdp/network/gradients.py puts those together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from gdp.network.blocks import AttentionBlock, Double, Halve, ResBlock
from gdp.network.kernels import cpu, cuda
from gdp.network.kernels.interface import UP, UP_RESIDUAL, Kernels

KERNELS: tuple[Kernels, ...] = (cpu, cuda)


def kernels_for(x: Tensor, layers: Sequence[nn.Module]) -> Kernels | None:
    """The kernels of our own by which `layers` can run on x, or None."""
    return next((kernels for kernels in KERNELS if kernels.ready(x, layers)), None)


class HalfBlock(NamedTuple):
    """A ResBlock after its first convolution."""

    x: Tensor  # what the skip connection reads, without the channels of `skip`
    norms_in: Tensor  # a, b of [x, skip]
    h: Tensor  # the first convolution's result
    norms_out: Tensor  # a, b of h


class ConvInput(NamedTuple):
    """What a ResBlock's first convolution reads: act(a [x, skip] + b), enlarged or not."""

    x: Tensor
    skip: Tensor | None
    ab: Tensor | None
    up: int


def convolutions(block: ResBlock) -> list[nn.Module]:
    """A ResBlock's convolutions."""
    convs = [block.in_layers[2], block.out_layers[3]]
    return [*convs, block.skip_connection] if block.narrows else convs


def res_block(
    block: ResBlock, kernels: Kernels, x: Tensor, emb: Tensor, skip: Tensor | None
) -> Tensor:
    """ResBlock.forward by the kernels."""
    half = first_half(block, kernels, x, block.emb_layers(emb), skip)
    return second_half(block, kernels, half, skip)


def first_half(
    block: ResBlock, kernels: Kernels, x: Tensor, e: Tensor, skip: Tensor | None
) -> HalfBlock:
    """A ResBlock up to its second normalization; `e` is what its emb_layers make of emb."""
    norms_in = kernels.norms(x, skip, block.in_layers[0])
    x_in, skip_in, ab, up = conv_input(block, kernels, x, skip, norms_in)

    more, film = (None, e) if block.scale_shift else (e, None)
    h, norms_out = kernels.conv3x3_norms(
        x_in, skip_in, ab, block.in_layers[2], up, more, block.out_layers[0], film
    )
    if isinstance(block.resample, Halve):
        x = block.resample(x)
    return HalfBlock(x, norms_in, h, norms_out)


def conv_input(
    block: ResBlock, kernels: Kernels, x: Tensor, skip: Tensor | None, norms_in: Tensor
) -> ConvInput:
    """What the first convolution reads. Only a picture that is halved must be activated before."""
    if isinstance(block.resample, Halve):
        return ConvInput(block.resample(kernels.activate(x, norms_in)), None, None, 0)
    return ConvInput(x, skip, norms_in, UP * isinstance(block.resample, Double))


def second_half(block: ResBlock, kernels: Kernels, half: HalfBlock, skip: Tensor | None) -> Tensor:
    """A ResBlock's result, from its first half."""
    x, _, h, norms_out = half
    residual = kernels.conv1x1(x, skip, block.skip_connection) if block.narrows else x
    up = UP_RESIDUAL * isinstance(block.resample, Double)
    return kernels.conv3x3(h, None, norms_out, block.out_layers[3], residual, up)


def attention(block: AttentionBlock, x: Tensor) -> Tensor:
    """AttentionBlock.forward, normalized by the GPU's kernels where they can run."""
    if not cuda.ready(x, [block.norm]):
        return block(x)
    h = cuda.activate(x, cuda.norms(x, None, block.norm), silu=False)
    return block.attend(x, h)


def head(out: Any, h: Tensor) -> Tensor:
    """The UNet's last layers, conv(SiLU(GroupNorm(h))): normalized and activated by kernels."""
    kernels = kernels_for(h, []) if h.shape[1] % 16 == 0 else None
    if kernels is None:
        return out(h)
    return out[2](kernels.activate(h, kernels.norms(h, None, out[0])))
