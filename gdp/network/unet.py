"""The ADM UNet of "Diffusion Models Beat GANs on Image Synthesis" (Dhariwal & Nichol, 2021).

Parameter names equal those of OpenAI's public checkpoints, so they load unchanged; the arithmetic is arranged for speed:
channels_last throughout, attention as one fused call on [B, H W, C], which in that layout is a view, and what lies about convolutions (on a
CPU those too) by kernels of our own, where they can be had (gdp/network/kernels/cpu.py, gdp/network/kernels/cuda.py).

    emb = MLP(sinusoid(t)) [+ label]                     h = conv(x)
    down:   level i = n ResBlocks (+ attention), then a ResBlock that halves H and W
    middle: ResBlock, attention, ResBlock
    up:     level i = n + 1 ResBlocks on [h, skip] (+ attention), then a ResBlock that doubles H and W
    out:    conv(SiLU(GroupNorm(h))) -> eps, or [eps, v] with a learned variance
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gdp.network import gradients
from gdp.network.kernels import cpu as cpu_kernels
from gdp.network.kernels import cuda as cuda_kernels

GROUPS = 32  # of GroupNorm


class UNet(nn.Module):
    """x_t [B, in_channels, H, W] and times [B] -> [B, out_channels, H, W]; H and W divisible by `divisor`.

    Arguments carry guided-diffusion's names. `attention_downsampling` lists the factors below full size at which attention
    sits; `channel_mult` the width of each level; `num_classes` makes it class-conditional. Heads have `num_head_channels`
    channels each, or there are `num_heads` of them where that is -1. `ddpm` takes the details of the network before it (Ho et al.,
    2020; its weights load by `gdp.convert`): sine before cosine, down to a frequency of 1e-4 exactly; strided convolutions that see
    a row and a column more at the end, none at the start; and 1e-6 in GroupNorm.
    """

    capturable = True  # what it does depends on shapes alone (gdp/network/graphs.py)

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
        self.in_channels, self.out_channels, self.model_channels = (
            in_channels,
            out_channels,
            model_channels,
        )
        self.levels, self.divisor = len(channel_mult), 2 ** (len(channel_mult) - 1)
        self.num_res_blocks, self.shallow = (
            num_res_blocks,
            2,
        )  # so many stages at either end are evaluated where the deep ones are not
        emb = 4 * model_channels
        self.time_embed = nn.Sequential(
            nn.Linear(model_channels, emb), nn.SiLU(), nn.Linear(emb, emb)
        )
        if num_classes is not None:
            self.label_emb = nn.Embedding(num_classes, emb)

        def res(c_in: int, c_out: int, resample: nn.Module | None = None) -> nn.Module:
            return ResBlock(c_in, c_out, emb, dropout, use_scale_shift_norm, resample)

        def attention(c: int) -> nn.Module:
            heads = num_heads if num_head_channels == -1 else c // num_head_channels
            return AttentionBlock(c, heads, use_new_attention_order)

        def half(c: int) -> nn.Module:
            return res(c, c, Halve()) if resblock_updown else Downsample(c, ddpm)

        def double(c: int) -> nn.Module:
            return res(c, c, Double()) if resblock_updown else Upsample(c)

        self.widths = widths = [int(m * model_channels) for m in channel_mult]
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
        """The network's output at x_t; `timesteps` [B] are its own indices 0..T-1 (fractions allowed), `labels` [B] classes.

        `deep`, empty, is given what enters the last two stages; where it holds that, all but the first two and those are left out.
        """
        dtype = cast(nn.Linear, self.time_embed[0]).weight.dtype
        emb = self.time_embed(sinusoid(timesteps, self.model_channels, self.ddpm).to(dtype))
        if labels is not None:
            emb = emb + self.label_emb(labels)
        emb = F.silu(emb)
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
        kernels = kernels_for(h, []) if h.shape[1] % 16 == 0 else None
        if kernels is not None:
            return self.out[2](kernels.activate(h, kernels.norms(h, None, self.out[0])))
        return self.out(h)


def kernels_for(x: Tensor, layers: Sequence[nn.Module]) -> Any:
    """The kernels of our own by which `layers` can run on x, or None."""
    return next(
        (kernels for kernels in (cpu_kernels, cuda_kernels) if kernels.ready(x, layers)), None
    )


class Stage(nn.ModuleList):
    """Layers in a row; those that want the embedding are handed it, the first the channels that skipped the levels below."""

    def forward(self, x: Tensor, emb: Tensor, skip: Tensor | None = None) -> Tensor:
        for layer in self:
            x = (
                recomputed(layer, x, emb, skip)
                if isinstance(layer, ResBlock)
                else recomputed(layer, x)
            )
            skip = None
        return x


def recomputed(layer: nn.Module, x: Tensor, *more: Any) -> Tensor:
    """layer(x, ...), which keeps nothing but its inputs for the way back: gradients in x cost a forward pass more, and little memory."""
    if layer.training or not (torch.is_grad_enabled() and x.requires_grad):
        return layer(x, *more)
    if isinstance(layer, ResBlock) and gradients.ready(layer, x, more[0]):
        return gradients.run(layer, x, *more)
    return checkpoint(layer, x, *more, use_reentrant=False)


class ResBlock(nn.Module):
    """GroupNorm, SiLU, [resample], conv, + embedding, GroupNorm, SiLU, conv, on a (resampled) skip connection.

    `emb` arrives with its SiLU applied: that is `emb_layers.0` of the checkpoints, computed once for all blocks.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        emb: int,
        dropout: float,
        scale_shift: bool,
        resample: nn.Module | None,
    ):
        super().__init__()
        self.scale_shift, self.resample, self.narrows = scale_shift, resample, c_in != c_out
        self.in_layers = nn.Sequential(norm(c_in), nn.SiLU(), nn.Conv2d(c_in, c_out, 3, padding=1))
        self.emb_layers = nn.Sequential(
            nn.Identity(), nn.Linear(emb, 2 * c_out if scale_shift else c_out)
        )
        self.out_layers = nn.Sequential(
            norm(c_out), nn.SiLU(), nn.Dropout(dropout), zero(nn.Conv2d(c_out, c_out, 3, padding=1))
        )
        self.skip_connection = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, emb: Tensor, skip: Tensor | None = None) -> Tensor:
        if self.training and gradients.ready(self, x, emb):
            return gradients.run(self, x, emb, skip)
        kernels = None if self.training else kernels_for(x, self.convs())
        if kernels is not None:
            return self.whole(kernels, self.halfway(kernels, x, self.emb_layers(emb), skip), skip)
        if skip is not None:
            x = torch.cat([x, skip], 1)
        group_norm, silu, conv = self.in_layers
        h = silu(group_norm(x))
        if self.resample is not None:
            h, x = self.resample(h), self.resample(x)
        h = conv(h)
        group_norm, *rest = self.out_layers
        e = self.emb_layers(emb)[..., None, None]
        if self.scale_shift:
            scale, shift = e.chunk(2, 1)
            h = torch.addcmul(shift, group_norm(h), 1 + scale)
        else:
            h = group_norm(h + e)
        for layer in rest:
            h = layer(h)
        return self.skip_connection(x) + h

    def convs(self) -> list[nn.Module]:
        """Its convolutions."""
        return [
            self.in_layers[2],
            self.out_layers[3],
            *([self.skip_connection] if self.narrows else []),
        ]

    def halfway(
        self, kernels: Any, x: Tensor, e: Tensor, skip: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the skip connection is to see of x; the norms of [x, skip]; the first convolution's result, and its norms."""
        norms = kernels.norms(x, skip, self.in_layers[0])
        picture, up = self.entry(kernels, x, skip, norms)
        more, film = (None, e) if self.scale_shift else (e, None)
        h, ab = kernels.conv3x3_norms(
            *picture, self.in_layers[2], up, more, self.out_layers[0], film
        )
        return (self.resample(x) if isinstance(self.resample, Halve) else x), norms, h, ab

    def entry(
        self, kernels: Any, x: Tensor, skip: Tensor | None, norms: Tensor
    ) -> tuple[tuple[Tensor, Tensor | None, Tensor | None], int]:
        """What the first convolution sees: (picture, more channels of it, norms to apply before SiLU), and whether it is enlarged."""
        if isinstance(self.resample, Halve):
            return (self.resample(kernels.activate(x, norms)), None, None), 0
        return (x, skip, norms), kernels.UP * isinstance(self.resample, Double)

    def whole(
        self, kernels: Any, half: tuple[Tensor, Tensor, Tensor, Tensor], skip: Tensor | None
    ) -> Tensor:
        """The output, from `halfway`. Each picture is read once to be normalized and once to be convolved (or activated, on a GPU)."""
        x, _, h, ab = half
        residual = kernels.conv1x1(x, skip, self.skip_connection) if self.narrows else x
        return kernels.conv3x3(
            h,
            None,
            ab,
            self.out_layers[3],
            residual,
            kernels.UP_RESIDUAL * isinstance(self.resample, Double),
        )


class AttentionBlock(nn.Module):
    """Self-attention over all pixels. `new_order` tells how the checkpoint packs q, k, v: [3, heads, c], or [heads, 3, c]."""

    def __init__(self, channels: int, heads: int, new_order: bool):
        super().__init__()
        if channels % heads:
            raise ValueError(
                f"{channels} channels cannot be split over {heads} heads; change num_heads or num_head_channels"
            )
        self.heads, self.new_order = heads, new_order
        self.norm = norm(channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = zero(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        gpu = cuda_kernels.ready(x, [self.norm])
        h = (
            cuda_kernels.activate(x, cuda_kernels.norms(x, None, self.norm), silu=False)
            if gpu
            else self.norm(x)
        )
        h = pointwise(self.qkv, h.permute(0, 2, 3, 1).reshape(B, H * W, C))
        if self.new_order:
            q, k, v = h.view(B, H * W, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        else:
            q, k, v = h.view(B, H * W, self.heads, 3, -1).permute(3, 0, 2, 1, 4)
        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, H * W, C)
        h = pointwise(self.proj_out, h)
        return x + h.view(B, H, W, C).permute(0, 3, 1, 2)


class Halve(nn.Module):
    """Mean over 2 x 2."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2)

    def back(self, g: Tensor) -> Tensor:
        """Its adjoint."""
        return F.interpolate(g / 4, scale_factor=2, mode="nearest")


class Double(nn.Module):
    """Nearest-neighbour enlargement by 2."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def back(self, g: Tensor) -> Tensor:
        """Its adjoint."""
        return 4 * F.avg_pool2d(g, 2)


class Downsample(nn.Module):
    """Strided convolution, in models without resblock_updown; padded all around, or at the right and bottom only."""

    def __init__(self, channels: int, at_end: bool = False):
        super().__init__()
        self.at_end = at_end
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=0 if at_end else 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(F.pad(x, (0, 1, 0, 1)) if self.at_end else x)


class Upsample(nn.Module):
    """Nearest-neighbour enlargement and convolution, in models without resblock_updown."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


def norm(channels: int) -> nn.GroupNorm:
    """GroupNorm over 32 groups."""
    return nn.GroupNorm(GROUPS, channels)


def pointwise(conv: nn.Module, x: Tensor) -> Tensor:
    """A convolution of width 1 on channels-last x [B, N, C]."""
    assert isinstance(conv, nn.Conv1d)
    return F.linear(x, conv.weight.squeeze(-1), conv.bias)


def zero(layer: nn.Module) -> nn.Module:
    """The layer, to start training as the zero map."""
    for p in layer.parameters():
        nn.init.zeros_(p)
    return layer


def sinusoid(timesteps: Tensor, width: int, ddpm: bool = False) -> Tensor:
    """[B] -> [B, width]: cos then sin of t 10000^(-k / half), in float32; `ddpm`: sin then cos of t 10000^(-k / (half - 1))."""
    half = width // 2
    freqs = torch.exp(
        -math.log(10000)
        * torch.arange(half, dtype=torch.float32, device=timesteps.device)
        / (half - ddpm)
    )
    angles = timesteps[:, None].float() * freqs
    waves = (angles.sin(), angles.cos()) if ddpm else (angles.cos(), angles.sin())
    return F.pad(torch.cat(waves, -1), (0, width % 2))


CHANNEL_MULT = {
    512: (0.5, 1, 1, 2, 2, 4, 4),
    256: (1, 1, 2, 2, 4, 4),
    128: (1, 1, 2, 3, 4),
    64: (1, 2, 3, 4),
}


def arguments_from_flags(
    image_size: int,
    num_channels: int,
    num_res_blocks: int,
    attention_resolutions: str = "16",
    channel_mult: str = "",
    learn_sigma: bool = False,
    class_cond: bool = False,
    use_fp16: bool = False,
    num_heads_upsample: int = -1,
    **same: object,
) -> dict[str, Any]:
    """UNet arguments from the command-line flags that guided-diffusion's models are published with."""
    mult = (
        tuple(float(m) for m in channel_mult.split(","))
        if channel_mult
        else CHANNEL_MULT[image_size]
    )
    return {
        "image_size": image_size,
        "model_channels": num_channels,
        "num_res_blocks": num_res_blocks,
        "channel_mult": mult,
        "attention_downsampling": [
            image_size // int(r) for r in str(attention_resolutions).split(",")
        ],
        "out_channels": 6 if learn_sigma else 3,
        "num_classes": 1000 if class_cond else None,
        **same,
    }
