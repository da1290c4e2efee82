"""The network of DDPM (Ho et al., 2020) under the names of gdp.unet.UNet(ddpm=True): CelebA-HQ and LSUN as SDEdit, DDRM and DDNM use them.

    temb.dense.0|1                        time_embed.0|2
    conv_in, norm_out, conv_out           input_blocks.0.0, out.0, out.2
    down.LEVEL.block.I, .attn.I           input_blocks.K.0, .1
    down.LEVEL.downsample.conv            input_blocks.K.0.op
    mid.block_1, mid.attn_1, mid.block_2  middle_block.0, .1, .2
    up.LEVEL.block.I, .attn.I             output_blocks.K.0, .1
    up.LEVEL.upsample.conv                output_blocks.K.1.conv, or .2.conv behind an attention

K counts the stages as the network runs through them. Attention's q, k and v, 1x1 convolutions, become one `qkv`.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

RES = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "temb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "nin_shortcut": "skip_connection",
}
ENDS = {
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
    """The weights, renamed; a name that the network does not have stays what it is."""
    layers = {**ENDS, **stages(weights)}
    out: dict[str, Tensor] = {}
    for name, weight in weights.items():
        layer, _, kind = name.rpartition(".")
        where, _, part = layer.rpartition(".")
        if layer in layers:
            out[f"{layers[layer]}.{kind}"] = weight
        elif where in layers and part in RES:
            out[f"{layers[where]}.{RES[part]}.{kind}"] = weight
        elif where in layers and part == "norm":
            out[f"{layers[where]}.norm.{kind}"] = weight
        elif where in layers and part == "proj_out":
            out[f"{layers[where]}.proj_out.{kind}"] = flat(weight)
        elif where in layers and part == "q":
            out[f"{layers[where]}.qkv.{kind}"] = torch.cat(
                [flat(weights[f"{where}.{p}.{kind}"]) for p in "qkv"]
            )
        elif not (where in layers and part in ("k", "v")):
            out[name] = weight
    return out


def flat(weight: Tensor) -> Tensor:
    """The weight of a 1x1 convolution as one over a row of pixels; biases stay."""
    return weight.squeeze(-1) if weight.ndim == 4 else weight


def stages(weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Old names of blocks, attentions and resamplings on the way down and up, and their new ones."""
    names, k = {}, 0
    levels = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("down."))
    for level in range(levels):
        for i in range(blocks(weights, f"down.{level}")):
            k += 1
            names[f"down.{level}.block.{i}"] = f"input_blocks.{k}.0"
            names[f"down.{level}.attn.{i}"] = f"input_blocks.{k}.1"
        if level < levels - 1:
            k += 1
            names[f"down.{level}.downsample.conv"] = f"input_blocks.{k}.0.op"
    k = -1
    for level in reversed(range(levels)):
        for i in range(blocks(weights, f"up.{level}")):
            k += 1
            names[f"up.{level}.block.{i}"] = f"output_blocks.{k}.0"
            names[f"up.{level}.attn.{i}"] = f"output_blocks.{k}.1"
        behind = 1 + (f"up.{level}.attn.0.q.weight" in weights)
        names[f"up.{level}.upsample.conv"] = f"output_blocks.{k}.{behind}.conv"
    return names


def blocks(weights: Mapping[str, Tensor], level: str) -> int:
    """How many residual blocks a level has."""
    return len({name.split(".")[3] for name in weights if name.startswith(f"{level}.block.")})
