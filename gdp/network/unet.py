"""The ADM UNet of "Diffusion Models Beat GANs on Image Synthesis" (Dhariwal & Nichol, 2021).

    emb = MLP(sinusoid(t)) [+ label]                     h = conv(x)
    down:   level i = n ResBlocks (+ attention), then a ResBlock that halves H and W
    middle: ResBlock, attention, ResBlock
    up:     level i = n + 1 ResBlocks on [h, skip] (+ attention), then a ResBlock that doubles H, W
    out:    conv(SiLU(GroupNorm(h))) -> eps, or [eps, v] with a learned variance

Parameter names equal those of OpenAI's public checkpoints, so they load unchanged; the arithmetic
is arranged for speed: pictures lie channels last throughout, and blocks (gdp/network/blocks.py) run
in the fastest form that a machine has (gdp/network/stage.py).
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.blocks import (
    AttentionBlock,
    Double,
    Downsample,
    Halve,
    ResBlock,
    Upsample,
    norm,
    zero,
)
from gdp.network.flags import arguments_from_flags as arguments_from_flags
from gdp.network.stage import Stage, head


class UNet(nn.Module):
    """The noise in x_t [B, in_channels, H, W] at times [B], as [B, out_channels, H, W].

    H and W must be divisible by `divisor`. Arguments carry guided-diffusion's names.

    Args:
        model_channels: width of the first level where channel_mult is 1 there.
        num_res_blocks: ResBlocks a level.
        channel_mult: width of each level in units of model_channels.
        attention_downsampling: factors below full size at which attention sits.
        image_size: pixels along an edge of the training photos.
        in_channels: of x_t.
        out_channels: of the result; twice in_channels with a learned variance.
        num_heads: heads of attention, where num_head_channels is -1.
        num_head_channels: channels of a head.
        use_scale_shift_norm: whether the embedding scales and shifts (FiLM), or is added.
        resblock_updown: whether ResBlocks halve and double the size, or convolutions do.
        use_new_attention_order: how q, k and v are packed (`AttentionBlock`).
        num_classes: number of classes of a class-conditional network.
        dropout: probability in every ResBlock.
        ddpm: the details of the network before it (Ho et al., 2020; its weights load by
            gdp/network/convert.py): sine before cosine, down to a frequency of 1e-4 exactly;
            strided convolutions that see a row and a column more at the end, none at the start;
            and 1e-6 in GroupNorm.
    """

    capturable = True  # what it does depends on shapes alone (gdp/network/graphs.py)
    shallow = 2  # so many stages at either end are evaluated where the deep ones are not

    def __init__(
        self,
        model_channels: int,
        num_res_blocks: int,
        channel_mult: Sequence[float],
        attention_downsampling: Sequence[int] = (),
        image_size: int = 64,
        in_channels: int = 3,
        out_channels: int = 6,
        num_heads: int = 1,
        num_head_channels: int = -1,
        use_scale_shift_norm: bool = True,
        resblock_updown: bool = True,
        use_new_attention_order: bool = False,
        num_classes: int | None = None,
        dropout: float = 0.0,
        ddpm: bool = False,
    ):
        super().__init__()
        self.image_size, self.num_classes, self.ddpm = image_size, num_classes, ddpm
        self.in_channels, self.out_channels = in_channels, out_channels
        self.model_channels, self.num_res_blocks = model_channels, num_res_blocks
        self.widths = widths = [int(m * model_channels) for m in channel_mult]
        self.levels, self.divisor = len(widths), 2 ** (len(widths) - 1)

        # The embedding of time, and of class.
        emb = 4 * model_channels
        self.time_embed = nn.Sequential(
            nn.Linear(model_channels, emb), nn.SiLU(), nn.Linear(emb, emb)
        )
        if num_classes is not None:
            self.label_emb = nn.Embedding(num_classes, emb)

        def res(c_in: int, c_out: int, resample: Halve | Double | None = None) -> nn.Module:
            return ResBlock(c_in, c_out, emb, dropout, use_scale_shift_norm, resample)

        def attention(c: int) -> nn.Module:
            heads = num_heads if num_head_channels == -1 else c // num_head_channels
            return AttentionBlock(c, heads, use_new_attention_order)

        def half(c: int) -> nn.Module:
            return res(c, c, Halve()) if resblock_updown else Downsample(c, ddpm)

        def double(c: int) -> nn.Module:
            return res(c, c, Double()) if resblock_updown else Upsample(c)

        # Down: every stage's result is handed to one on the way up.
        c = widths[0]
        self.input_blocks = nn.ModuleList([Stage([nn.Conv2d(in_channels, c, 3, padding=1)])])
        skips = [c]
        for level, width in enumerate(widths):
            for _ in range(num_res_blocks):
                layers: list[nn.Module] = [res(c, width)]
                c = width
                if 2**level in attention_downsampling:
                    layers.append(attention(c))
                self.input_blocks.append(Stage(layers))
                skips.append(c)
            if level < len(widths) - 1:
                self.input_blocks.append(Stage([half(c)]))
                skips.append(c)

        self.middle_block = Stage([res(c, c), attention(c), res(c, c)])

        # Up.
        self.output_blocks = nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            for i in range(num_res_blocks + 1):
                layers = [res(c + skips.pop(), width)]
                c = width
                if 2**level in attention_downsampling:
                    layers.append(attention(c))
                if level > 0 and i == num_res_blocks:
                    layers.append(double(c))
                self.output_blocks.append(Stage(layers))

        self.out = nn.Sequential(
            norm(c), nn.SiLU(), zero(nn.Conv2d(widths[0], out_channels, 3, padding=1))
        )
        for layer in self.modules():
            if isinstance(layer, nn.GroupNorm) and ddpm:
                layer.eps = 1e-6

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        labels: Tensor | None = None,
        deep: list[Tensor] | None = None,
    ) -> Tensor:
        """The network's result at x_t.

        Args:
            x: x_t [B, in_channels, H, W].
            timesteps: the network's own indices 0..T-1 [B], fractions allowed.
            labels: classes [B] of a class-conditional network.
            deep: what lies between the shallow stages. An empty list receives what enters the last
                ones; where it holds that, the stages before them are left out, but for the first.

        Returns:
            eps, or [eps, v] with a learned variance: [B, out_channels, H, W].
        """
        # The SiLU of every ResBlock's emb_layers is applied here, once.
        of_embedding = cast(nn.Linear, self.time_embed[0]).weight.dtype
        waves = sinusoid(timesteps, self.model_channels, self.ddpm)
        emb = self.time_embed(waves.to(of_embedding))
        if labels is not None:
            emb = emb + self.label_emb(labels)
        dtype = self.dtype
        emb = F.silu(emb).to(dtype)

        h, skips = x.to(dtype), []
        for stage in self.input_blocks[: self.shallow if deep else None]:
            h = stage(h, emb)
            skips.append(h)

        if not deep:
            h = self.middle_block(h, emb)
            for stage in self.output_blocks[: -self.shallow]:
                h = stage(h, emb, skips.pop())
        if deep is not None:
            deep[:] = deep or [h]
            h = deep[0]

        for stage in self.output_blocks[-self.shallow :]:
            h = stage(h, emb, skips.pop())
        return head(self.out, h.to(next(self.out.parameters()).dtype))

    @property
    def dtype(self) -> torch.dtype:
        """The type that it computes in."""
        return next(self.input_blocks.parameters()).dtype

    def compute_in(self, dtype: torch.dtype) -> "UNet":
        """Compute in a type, but for the embedding of time and the head, which stay in float32.

        So does guided-diffusion: the head's rounding would be all in the result, and saves next to
        nothing. Normalizations sum in float32 whatever their type is.
        """
        self.float()
        for part in (self.input_blocks, self.middle_block, self.output_blocks):
            part.to(dtype)
        return self


def sinusoid(timesteps: Tensor, width: int, ddpm: bool = False) -> Tensor:
    """Times [B] as waves [B, width] in float32.

    They are cosines, then sines, of t 10000^(-k / half), k = 0 .. half - 1; with `ddpm`, sines,
    then cosines, of t 10000^(-k / (half - 1)).
    """
    half = width // 2
    k = torch.arange(half, dtype=torch.float32, device=timesteps.device)
    freqs = torch.exp(-math.log(10000) * k / (half - ddpm))

    angles = timesteps[:, None].float() * freqs
    waves = (angles.sin(), angles.cos()) if ddpm else (angles.cos(), angles.sin())
    return F.pad(torch.cat(waves, -1), (0, width % 2))
