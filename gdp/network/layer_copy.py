"""A layer's weights for fewer of the channels that it reads and writes.

Of channels inside a layer, and of attention's heads, those are retained that are read by the
largest weights (pruning by magnitude, Li et al., "Pruning Filters for Efficient ConvNets", ICLR
2017). gdp/network/net2net.py chooses the channels between layers.
"""

from typing import Any

import torch
from torch import Tensor, nn

from gdp.network.blocks import GROUPS, AttentionBlock, ResBlock


def copy_layer(old: Any, new: Any, c_in: Tensor | None, c_out: Tensor) -> None:
    """Copy a layer's weights for the channels `c_in` that it reads and `c_out` that it writes."""
    if isinstance(old, ResBlock):
        copy_skip(old, new, c_in, c_out)
        copy_block(old, new, c_in, c_out)
    elif isinstance(old, AttentionBlock):
        copy_attention(old, new, c_in, c_out)
    else:
        fill(first_conv(old), first_conv(new), c_out, c_in)


def copy_block(old: Any, new: Any, c_in: Tensor | None, c_out: Tensor) -> None:
    """Copy a ResBlock's weights, but for its skip connection.

    Of the channels between its convolutions those are retained that are read most.
    """
    width = old.out_layers[3].in_channels
    inner = strongest(energy(old.out_layers[3]), new.out_layers[3].in_channels)
    film = torch.cat([inner, inner + width]) if old.scale_shift else inner

    fill(old.in_layers[0], new.in_layers[0], c_in)
    fill(old.in_layers[2], new.in_layers[2], inner, c_in)
    fill(old.emb_layers[1], new.emb_layers[1], film)
    fill(old.out_layers[0], new.out_layers[0], inner)
    fill(old.out_layers[3], new.out_layers[3], c_out, inner)


def copy_attention(old: Any, new: Any, c_in: Tensor | None, c_out: Tensor) -> None:
    """Copy attention's weights, of the heads that are read most.

    Raises:
        ValueError: narrower heads would be needed.
    """
    channels = old.proj_out.in_channels
    if channels // old.heads != new.proj_out.in_channels // new.heads:
        raise ValueError(
            "attention of a fixed number of heads cannot be narrowed; "
            "the network needs num_head_channels"
        )

    heads = energy(old.proj_out).view(old.heads, -1).sum(1).topk(new.heads).indices.sort().values
    columns = torch.arange(channels).view(old.heads, -1)[heads]
    rows = torch.arange(3 * channels)
    if old.new_order:
        rows = rows.view(3, old.heads, -1)[:, heads]
    else:
        rows = rows.view(old.heads, 3, -1)[heads]

    fill(old.norm, new.norm, c_in)
    fill(old.qkv, new.qkv, rows.flatten(), c_in)
    fill(old.proj_out, new.proj_out, c_out, columns.flatten())


def copy_skip(old: Any, new: Any, c_in: Tensor | None, c_out: Tensor) -> None:
    """Copy the skip connection's weights; where the old one has none, it is the identity."""
    if old.narrows and new.narrows:
        fill(old.skip_connection, new.skip_connection, c_out, c_in)
    elif new.narrows:
        begin_as_identity(new, torch.eye(old.out_layers[3].out_channels)[c_out][:, c_in])
    elif old.narrows:
        raise ValueError(
            f"a level of {len(c_out)} channels, as wide as the one before, has no skip connection "
            "to learn; give it another width"
        )


def begin_as_identity(module: Any, matrix: Tensor | None = None) -> None:
    """Let a fresh layer, whose last convolution is zero, pass on what it reads.

    Where it narrows, that is the first of two inputs, or what a matrix [O, C] makes of both.
    """
    if isinstance(module, ResBlock) and module.narrows:
        conv: Any = module.skip_connection
        if matrix is None:
            matrix = torch.eye(*conv.weight.shape[:2])
        conv.weight.copy_(matrix[..., None, None])
        conv.bias.zero_()


def fill(old: Any, new: Any, rows: Tensor | None, columns: Tensor | None = None) -> None:
    """Copy those rows of a layer's weight and bias, and those columns of its weight; None: all."""
    weight, bias = (p if rows is None else p[rows] for p in (old.weight, old.bias))
    new.weight.copy_(weight if columns is None else weight[:, columns])
    new.bias.copy_(bias)


def first_conv(module: Any) -> nn.Module:
    """The convolution by which a layer reads its input."""
    if isinstance(module, ResBlock):
        return module.in_layers[2]
    if isinstance(module, AttentionBlock):
        return module.qkv
    return next(m for m in module.modules() if isinstance(m, nn.Conv2d))


def energy(conv: Any) -> Tensor:
    """The sum of squares of a convolution's weights on each channel that it reads [channels]."""
    return conv.weight.float().pow(2).flatten(2).sum((0, 2))


def strongest(scores: Tensor, width: int) -> Tensor:
    """Indices [width] of the channels of the highest scores, as many of each group, in order."""
    groups = scores.view(GROUPS, -1)
    best = groups.topk(width // GROUPS, 1).indices.sort(1).values
    return (best + torch.arange(GROUPS)[:, None] * groups.shape[1]).flatten()
