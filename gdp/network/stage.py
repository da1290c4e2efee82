"""Stages of the UNet: layers in a row, each in the form that is best where it runs.

A layer has up to three forms: plain (gdp/network/blocks.py), by kernels of our own
(gdp/network/fused.py), and by kernels with gradients (gdp/network/gradients.py).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gdp.network import fused, gradients
from gdp.network.blocks import AttentionBlock, ResBlock


class Stage(nn.ModuleList):
    """Layers in a row, of which ResBlocks read the embedding and the first one what `skip` brings.

    Outside training, where gradients in x are wanted, layers keep nothing but their inputs for the
    way back: that costs a forward pass more, and saves most of the memory.
    """

    def forward(self, x: Tensor, emb: Tensor, skip: Tensor | None = None) -> Tensor:
        """The last layer's result.

        Args:
            x: [B, C, H, W].
            emb: the embedding of time and class [B, emb], its SiLU applied.
            skip: more channels of x.
        """
        for layer in self:
            if isinstance(layer, ResBlock):
                x = res_block(layer, x, emb, skip)
            elif through(layer, x):
                form = attention if isinstance(layer, AttentionBlock) else call
                x = again(form, layer, x)
            elif isinstance(layer, AttentionBlock):
                x = fused.attention(layer, x)
            else:
                x = layer(x)

            # Only the first layer reads the other channels.
            skip = None
        return x


def res_block(block: ResBlock, x: Tensor, emb: Tensor, skip: Tensor | None) -> Tensor:
    """A ResBlock's result, in the form that is best here."""
    is_through = through(block, x)
    known = gradients.ready(block, x, emb) if block.training or is_through else None
    if known is not None:
        return gradients.run(block, known, x, emb, skip)

    if is_through:
        return again(block, x, emb, skip)

    kernels = None if block.training else fused.kernels_for(x, fused.convolutions(block))
    if kernels is not None:
        return fused.res_block(block, kernels, x, emb, skip)
    return block(x, emb, skip)


def again(form: Callable[..., Tensor], *args: Any) -> Tensor:
    """form(*args), evaluated again on the way back; nothing in it is random."""
    out: Tensor = checkpoint(form, *args, use_reentrant=False, preserve_rng_state=False)
    return out


def attention(block: AttentionBlock, x: Tensor) -> Tensor:
    """An attention's result, which can be differentiated."""
    h = gradients.normalized(x, block.norm, silu=False)
    return block(x) if h is None else block.attend(x, h)


def call(layer: nn.Module, x: Tensor) -> Tensor:
    """layer(x)."""
    out: Tensor = layer(x)
    return out


def head(out: nn.Sequential, h: Tensor) -> Tensor:
    """The UNet's last layers, conv(SiLU(GroupNorm(h))), in the form that is best here."""
    active = gradients.normalized(h, out[0], silu=True) if through(out, h) else None
    return fused.head(out, h) if active is None else call(out[2], active)


def through(layer: nn.Module, x: Tensor) -> bool:
    """Whether gradients in x are wanted, and the layer is not in training."""
    return torch.is_grad_enabled() and x.requires_grad and not layer.training
