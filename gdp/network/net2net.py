"""A trained UNet in another shape: more ResBlocks a level, narrower levels.

An added block begins as the identity, so the network computes what it did until it learns (Net2Net,
Chen et al., ICLR 2016). A narrower level retains the channels, and the heads, that are read by the
largest weights, as many of each of GroupNorm's groups (pruning by magnitude, Li et al., "Pruning
Filters for Efficient ConvNets", ICLR 2017): what the network computes changes, little where they
mattered little.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gdp.network.layer_copy import (
    begin_as_identity,
    copy_layer,
    energy,
    fill,
    first_conv,
    strongest,
)
from gdp.network.unet import UNet


class Position(NamedTuple):
    """Where a layer is: the part of the network, its level, its stage there, its place in that."""

    part: str
    level: int
    stage: int
    place: int


class Layer(NamedTuple):
    """A layer, and the levels whose channels it reads and writes.

    It reads those of two levels where a skip connection ends.
    """

    module: Any
    reads: list[int]
    writes: int


@torch.no_grad()
def reshape(old: UNet, new: UNet) -> None:
    """Give a fresh network the weights of a trained one of another shape.

    Args:
        old: the trained network.
        new: as many levels, and the same arguments but for num_res_blocks and channel_mult.

    Raises:
        ValueError: `new` has fewer blocks or a wider level, or it can only have another width
            together with the level before.
    """
    if old.levels != new.levels:
        raise ValueError(
            f"a network of {old.levels} levels cannot become one of {new.levels}; "
            "give channel_mult as many levels"
        )
    blocks, more = old.num_res_blocks, new.num_res_blocks - old.num_res_blocks
    before, after = old.widths, new.widths
    if more < 0 or any(a < b for a, b in zip(before, after, strict=True)):
        raise ValueError(
            f"levels of {before} channels with {blocks} blocks each cannot become {after} "
            f"with {blocks + more}; levels can be narrowed and blocks added, not the reverse"
        )

    # The channels that each level retains.
    layers: dict[Position | None, Layer] = dict(positions(old))
    energies = channel_energies(layers.values(), before)
    channels = [strongest(e, width) for e, width in zip(energies, after, strict=True)]

    for position, (module, reads, writes) in positions(new):
        source = layers.get(position_before(position, blocks, more))
        if source is None:
            begin_as_identity(module)
            continue

        # Where it reads two levels, their channels lie one after the other.
        parts, start = [], 0
        for level in reads:
            parts.append(channels[level] + start)
            start += before[level]
        c_in = torch.cat(parts) if parts else None
        copy_layer(source.module, module, c_in, channels[writes])

    # What lies outside the levels.
    fill(old.out[0], new.out[0], channels[0])
    fill(old.out[2], new.out[2], None, channels[0])
    new.time_embed.load_state_dict(old.time_embed.state_dict())
    if old.num_classes is not None:
        new.label_emb.load_state_dict(old.label_emb.state_dict())


def positions(net: UNet) -> Iterator[tuple[Position, Layer]]:
    """The layers between the embedding and `out`, in the order of running."""
    stages = iter([*net.input_blocks, net.middle_block, *net.output_blocks])

    def stage(part: str, level: int, i: int, reads: list[int]) -> Iterator[tuple[Position, Layer]]:
        for k, module in enumerate(next(stages)):
            yield Position(part, level, i, k), Layer(module, [level] if k else reads, level)

    # Down; `h` is the level whose channels come, `skips` those of the skip connections.
    blocks, h = net.num_res_blocks, 0
    skips = [0]
    yield from stage("in", 0, 0, [])
    for level in range(net.levels):
        for i in range(blocks):
            yield from stage("down", level, i, [h])
            h = level
            skips.append(h)
        if level < net.levels - 1:
            yield from stage("half", level, 0, [h])
            skips.append(h)

    yield from stage("middle", h, 0, [h])

    # Up.
    for level in reversed(range(net.levels)):
        for i in range(blocks + 1):
            yield from stage("up", level, i, [h, skips.pop()])
            h = level


def position_before(position: Position, blocks: int, more: int) -> Position | None:
    """Where the old network, of `blocks` a level, has the layer of this position, if anywhere.

    `more` blocks are added after a level's last on the way down, and after its first on the way up.
    """
    if position.part == "down":
        return position if position.stage < blocks else None
    if position.part == "up" and position.stage > 0:
        stage = position.stage - more
        return position._replace(stage=stage) if stage > 0 else None
    return position


def channel_energies(layers: Iterable[Layer], widths: list[int]) -> list[Tensor]:
    """The energy of all weights on each channel of each level [width]."""
    totals = [torch.zeros(width) for width in widths]
    for module, reads, _ in layers:
        if not reads:
            continue
        parts = energy(first_conv(module)).split([widths[level] for level in reads])
        for level, part in zip(reads, parts, strict=True):
            totals[level] += part
    return totals
