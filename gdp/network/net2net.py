"""A trained UNet in another shape: more ResBlocks a level, narrower levels.

An added block begins as the identity, so the network computes what it did until it learns (Net2Net, Chen et al., ICLR 2016). A narrower
level keeps the channels, and the heads, that are read by the largest weights, as many of each of GroupNorm's groups (pruning by magnitude,
Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017): what the network computes changes, little where they mattered little.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gdp.network.unet import GROUPS, AttentionBlock, ResBlock, UNet


class Place(NamedTuple):
    """A layer's part of the network, the level it is in, its stage there, its place in the stage."""

    part: str
    level: int
    stage: int
    layer: int


class Layer(NamedTuple):
    """A layer, and the levels whose channels it reads (two where a skip connection ends) and writes."""

    module: Any
    reads: list[int]
    writes: int


@torch.no_grad()
def reshape(old: UNet, new: UNet) -> None:
    """Give `new`, freshly made, the weights of `old`, which has as many levels; they differ in blocks a level and widths only.

    Raises ValueError where `new` has fewer blocks, a wider level, or can only have another width together with the level before.
    """
    if old.levels != new.levels:
        raise ValueError(
            f"a network of {old.levels} levels cannot become one of {new.levels}; give channel_mult as many levels"
        )
    blocks, more = old.num_res_blocks, new.num_res_blocks - old.num_res_blocks
    before, after = old.widths, new.widths
    if more < 0 or any(a < b for a, b in zip(before, after, strict=True)):
        raise ValueError(
            f"levels of {before} channels with {blocks} blocks each cannot become {after} with {blocks + more}; "
            "levels can be narrowed and blocks added, not the reverse"
        )
    layers: dict[Place | None, Layer] = dict(places(old))
    kept = [
        most(scores, width)
        for scores, width in zip(readings(layers.values(), before), after, strict=True)
    ]
    for place, (module, reads, writes) in places(new):
        source = layers.get(origin(place, blocks, more))
        if source is None:
            begin_as_identity(module)
            continue
        starts = [sum(before[level] for level in reads[:i]) for i in range(len(reads))]
        entry = (
            torch.cat([kept[level] + start for level, start in zip(reads, starts, strict=True)])
            if reads
            else None
        )
        copy(source.module, module, entry, kept[writes])
    fill(old.out[0], new.out[0], kept[0])
    fill(old.out[2], new.out[2], None, kept[0])
    new.time_embed.load_state_dict(old.time_embed.state_dict())
    if old.num_classes is not None:
        new.label_emb.load_state_dict(old.label_emb.state_dict())


def places(net: UNet) -> Iterator[tuple[Place, Layer]]:
    """Its layers between the embedding and `out`, in the order of running."""
    stages = iter([*net.input_blocks, net.middle_block, *net.output_blocks])

    def stage(part: str, level: int, i: int, reads: list[int]) -> Iterator[tuple[Place, Layer]]:
        for k, module in enumerate(next(stages)):
            yield Place(part, level, i, k), Layer(module, [level] if k else reads, level)

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
    for level in reversed(range(net.levels)):
        for i in range(blocks + 1):
            yield from stage("up", level, i, [h, skips.pop()])
            h = level


def origin(place: Place, blocks: int, more: int) -> Place | None:
    """Where the old network has a layer of this place, if anywhere: blocks are added after a level's last on the way down, its first up."""
    if place.part == "down":
        return place if place.stage < blocks else None
    if place.part == "up" and place.stage > 0:
        return place._replace(stage=place.stage - more) if place.stage > more else None
    return place


def reader(module: Any) -> nn.Module:
    """The convolution by which a layer reads what it is given."""
    if isinstance(module, ResBlock):
        return module.in_layers[2]
    if isinstance(module, AttentionBlock):
        return module.qkv
    return next(m for m in module.modules() if isinstance(m, nn.Conv2d))


def energy(conv: Any) -> Tensor:
    """Of a convolution's weights on each channel that it reads [channels]."""
    return conv.weight.float().pow(2).flatten(2).sum((0, 2))


def readings(layers: Iterable[Layer], widths: list[int]) -> list[Tensor]:
    """The energy of all weights on each channel of each level [width]."""
    totals = [torch.zeros(width) for width in widths]
    for module, reads, _ in layers:
        if reads:
            for level, part in zip(
                reads, energy(reader(module)).split([widths[level] for level in reads]), strict=True
            ):
                totals[level] += part
    return totals


def most(scores: Tensor, width: int) -> Tensor:
    """Indices of the channels [width] of the highest scores, equally many of each group, in their order."""
    groups = scores.view(GROUPS, -1)
    best = groups.topk(width // GROUPS, 1).indices.sort(1).values
    return (best + torch.arange(GROUPS)[:, None] * groups.shape[1]).flatten()


def fill(old: Any, new: Any, rows: Tensor | None, columns: Tensor | None = None) -> None:
    """Weight and bias of a layer from those rows, and of its weight those columns, of another's (None: all)."""
    weight, bias = (p if rows is None else p[rows] for p in (old.weight, old.bias))
    new.weight.copy_(weight if columns is None else weight[:, columns])
    new.bias.copy_(bias)


def copy(old: Any, new: Any, entry: Tensor | None, exit: Tensor) -> None:
    """A layer's weights from the channels `entry` that another reads and `exit` that it writes."""
    if isinstance(old, ResBlock):
        copy_skip(old, new, entry, exit)
        copy_block(old, new, entry, exit)
    elif isinstance(old, AttentionBlock):
        copy_attention(old, new, entry, exit)
    else:
        fill(reader(old), reader(new), exit, entry)


def copy_block(old: Any, new: Any, entry: Tensor | None, exit: Tensor) -> None:
    """A ResBlock's weights, but for its skip connection; of the channels between its convolutions, those that are read most."""
    inner = most(energy(old.out_layers[3]), new.out_layers[3].in_channels)
    film = torch.cat([inner, inner + old.out_layers[3].in_channels]) if old.scale_shift else inner
    fill(old.in_layers[0], new.in_layers[0], entry)
    fill(old.in_layers[2], new.in_layers[2], inner, entry)
    fill(old.emb_layers[1], new.emb_layers[1], film)
    fill(old.out_layers[0], new.out_layers[0], inner)
    fill(old.out_layers[3], new.out_layers[3], exit, inner)


def copy_attention(old: Any, new: Any, entry: Tensor | None, exit: Tensor) -> None:
    """Attention's weights, of the heads that are read most; ValueError where narrower heads would be needed."""
    channels = old.proj_out.in_channels
    if channels // old.heads != new.proj_out.in_channels // new.heads:
        raise ValueError(
            "attention of a fixed number of heads cannot be narrowed; the network needs num_head_channels"
        )
    heads = energy(old.proj_out).view(old.heads, -1).sum(1).topk(new.heads).indices.sort().values
    rows, columns = torch.arange(3 * channels), torch.arange(channels).view(old.heads, -1)[heads]
    rows = (
        rows.view(3, old.heads, -1)[:, heads]
        if old.new_order
        else rows.view(old.heads, 3, -1)[heads]
    )
    fill(old.norm, new.norm, entry)
    fill(old.qkv, new.qkv, rows.flatten(), entry)
    fill(old.proj_out, new.proj_out, exit, columns.flatten())


def copy_skip(old: Any, new: Any, entry: Tensor | None, exit: Tensor) -> None:
    """The skip connection's weights; where one has none, it is the identity."""
    if old.narrows and new.narrows:
        fill(old.skip_connection, new.skip_connection, exit, entry)
    elif new.narrows:
        begin_as_identity(new, torch.eye(old.out_layers[3].out_channels)[exit][:, entry])
    elif old.narrows:
        raise ValueError(
            f"a level of {len(exit)} channels, as wide as the one before, has no skip connection to learn; give it another width"
        )


def begin_as_identity(module: Any, matrix: Tensor | None = None) -> None:
    """Make a fresh layer, whose last convolution is zero, pass on what it reads: the first of two inputs, or as a matrix says."""
    if isinstance(module, ResBlock) and module.narrows:
        conv: Any = module.skip_connection
        conv.weight.copy_(
            (torch.eye(*conv.weight.shape[:2]) if matrix is None else matrix)[..., None, None]
        )
        conv.bias.zero_()
