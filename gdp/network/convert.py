"""The weights of DDPM's network (Ho et al., 2020) under the names of UNet(ddpm=True).

CelebA-HQ and LSUN come in this form, as SDEdit, DDRM and DDNM use them.

    temb.dense.0|1                        time_embed.0|2
    conv_in, norm_out, conv_out           input_blocks.0.0, out.0, out.2
    down.LEVEL.block.I, .attn.I           input_blocks.K.0, .1
    down.LEVEL.downsample.conv            input_blocks.K.0.op
    mid.block_1, mid.attn_1, mid.block_2  middle_block.0, .1, .2
    up.LEVEL.block.I, .attn.I             output_blocks.K.0, .1
    up.LEVEL.upsample.conv                output_blocks.K.1.conv, or .2.conv behind an attention

K counts the stages as the network runs through them. Attention's q, k and v, 1x1 convolutions,
become one `qkv`.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

# Parts of a ResBlock.
RES_BLOCK = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "temb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "nin_shortcut": "skip_connection",
}

# Layers outside the levels.
OUTSIDE_LEVELS = {
    "temb.dense.0": "time_embed.0",
    "temb.dense.1": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "norm_out": "out.0",
    "conv_out": "out.2",
    "mid.block_1": "middle_block.0",
    "mid.attn_1": "middle_block.1",
    "mid.block_2": "middle_block.2",
}


def is_ddpm(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the weights of DDPM's network under its own names."""
    return {"temb.dense.0.weight", "conv_in.weight", "mid.attn_1.q.weight"} <= weights.keys()


def from_ddpm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights, renamed.

    Args:
        weights: those of DDPM's network under its own names (`is_ddpm`).

    Returns:
        The state dict of a UNet; a name that DDPM's network does not have stays what it is.
    """
    layers = {**OUTSIDE_LEVELS, **level_layers(weights)}
    renamed: dict[str, Tensor] = {}
    for name, weight in weights.items():
        layer, _, kind = name.rpartition(".")
        block, _, part = layer.rpartition(".")

        # A layer of its own, or one of a ResBlock.
        if layer in layers:
            renamed[f"{layers[layer]}.{kind}"] = weight
        elif block in layers and part in RES_BLOCK:
            renamed[f"{layers[block]}.{RES_BLOCK[part]}.{kind}"] = weight

        # One of attention; k and v go with q.
        elif block in layers and part == "norm":
            renamed[f"{layers[block]}.norm.{kind}"] = weight
        elif block in layers and part == "proj_out":
            renamed[f"{layers[block]}.proj_out.{kind}"] = over_a_row(weight)
        elif block in layers and part == "q":
            qkv = [over_a_row(weights[f"{block}.{p}.{kind}"]) for p in "qkv"]
            renamed[f"{layers[block]}.qkv.{kind}"] = torch.cat(qkv)

        elif not (block in layers and part in ("k", "v")):
            renamed[name] = weight
    return renamed


def over_a_row(weight: Tensor) -> Tensor:
    """The weight of a 1x1 convolution as one over a row of pixels; biases stay."""
    return weight.squeeze(-1) if weight.ndim == 4 else weight


def level_layers(weights: Mapping[str, Tensor]) -> dict[str, str]:
    """DDPM's names of blocks, attentions and resamplings of all levels, and the UNet's."""
    names: dict[str, str] = {}
    levels = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("down."))

    # Down; stage 0 is conv_in.
    k = 0
    for level in range(levels):
        for i in range(count_blocks(weights, f"down.{level}")):
            k += 1
            names[f"down.{level}.block.{i}"] = f"input_blocks.{k}.0"
            names[f"down.{level}.attn.{i}"] = f"input_blocks.{k}.1"
        if level < levels - 1:
            k += 1
            names[f"down.{level}.downsample.conv"] = f"input_blocks.{k}.0.op"

    # Up; enlarging is the last layer of a level's last stage.
    k = -1
    for level in reversed(range(levels)):
        for i in range(count_blocks(weights, f"up.{level}")):
            k += 1
            names[f"up.{level}.block.{i}"] = f"output_blocks.{k}.0"
            names[f"up.{level}.attn.{i}"] = f"output_blocks.{k}.1"
        last = 1 + (f"up.{level}.attn.0.q.weight" in weights)
        names[f"up.{level}.upsample.conv"] = f"output_blocks.{k}.{last}.conv"
    return names


def count_blocks(weights: Mapping[str, Tensor], level: str) -> int:
    """How many ResBlocks a level has; `level` is down.LEVEL or up.LEVEL."""
    return len({name.split(".")[3] for name in weights if name.startswith(f"{level}.block.")})
