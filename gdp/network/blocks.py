"""The blocks of the ADM UNet (Dhariwal & Nichol, "Diffusion Models Beat GANs on Image Synthesis",
NeurIPS 2021, appendix A), in plain torch.

    ResBlock     h = conv(resample(SiLU(GroupNorm(x))))
                 h = (1 + scale) GroupNorm(h) + shift,   [scale, shift] = linear(SiLU(emb))
                 y = skip(resample(x)) + conv(SiLU(h))
    Attention    y = x + proj(softmax(q k^T / sqrt(c)) v),   [q, k, v] = qkv(GroupNorm(x))

Parameters are named as in OpenAI's public checkpoints, so that those load unchanged. The same
blocks in fewer passes over memory, where kernels of our own can run, are in gdp/network/fused.py.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 32  # of every GroupNorm


class ResBlock(nn.Module):
    """Two normalized and activated convolutions beside a skip connection.

    Args:
        c_in: channels of what it reads.
        c_out: channels of its result.
        emb: width of the embedding of time and class.
        dropout: probability before the second convolution.
        scale_shift: whether the embedding scales and shifts the second normalization (FiLM), or is
            added before it.
        resample: `Halve` or `Double`, applied before the first convolution and to the skip
            connection; None leaves the size.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        emb: int,
        dropout: float,
        scale_shift: bool,
        resample: "Halve | Double | None",
    ):
        super().__init__()
        self.scale_shift, self.resample, self.narrows = scale_shift, resample, c_in != c_out
        self.in_layers = nn.Sequential(norm(c_in), nn.SiLU(), nn.Conv2d(c_in, c_out, 3, padding=1))

        # The checkpoints' emb_layers.0, a SiLU, is applied once for all blocks.
        self.emb_layers = nn.Sequential(
            nn.Identity(), nn.Linear(emb, 2 * c_out if scale_shift else c_out)
        )
        self.out_layers = nn.Sequential(
            norm(c_out), nn.SiLU(), nn.Dropout(dropout), zero(nn.Conv2d(c_out, c_out, 3, padding=1))
        )
        self.skip_connection = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, emb: Tensor, skip: Tensor | None = None) -> Tensor:
        """The block's result [B, c_out, H', W'].

        Args:
            x: [B, c_in, H, W], or the first of these channels.
            emb: the embedding [B, emb], its SiLU applied.
            skip: the rest of the channels, where a skip connection of the UNet brings them.
        """
        if skip is not None:
            x = torch.cat([x, skip], 1)

        # The first convolution; it and the skip connection see another size on request.
        group_norm, silu, conv = self.in_layers
        h = silu(group_norm(x))
        if self.resample is not None:
            h, x = self.resample(h), self.resample(x)
        h = conv(h)

        # The embedding modulates the second normalization, or is added before it.
        group_norm, *rest = self.out_layers
        e = self.emb_layers(emb)[..., None, None]
        if self.scale_shift:
            scale, shift = e.chunk(2, 1)
            h = torch.addcmul(shift, group_norm(h), 1 + scale)
        else:
            h = group_norm(h + e)

        # SiLU, dropout and the second convolution.
        for layer in rest:
            h = layer(h)
        return self.skip_connection(x) + h


class AttentionBlock(nn.Module):
    """Self-attention over all pixels, in several heads.

    Args:
        channels: of what it reads and gives.
        heads: they share the channels evenly.
        new_order: how the checkpoint packs q, k and v: as [3, heads, c], or as [heads, 3, c].

    Raises:
        ValueError: the channels cannot be shared evenly.
    """

    def __init__(self, channels: int, heads: int, new_order: bool):
        super().__init__()
        if channels % heads:
            raise ValueError(
                f"{channels} channels cannot be split over {heads} heads; "
                "change num_heads or num_head_channels"
            )
        self.heads, self.new_order = heads, new_order
        self.norm = norm(channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = zero(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, H, W], and what its pixels attend to."""
        return self.attend(x, self.norm(x))

    def attend(self, x: Tensor, h: Tensor) -> Tensor:
        """x + attention of h, which is x normalized.

        Pixels lie as [B, H W, C], which channels last is a view, and attention is one fused call.
        """
        B, C, H, W = x.shape
        h = pointwise(self.qkv, h.permute(0, 2, 3, 1).reshape(B, H * W, C))
        if self.new_order:
            q, k, v = h.view(B, H * W, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        else:
            q, k, v = h.view(B, H * W, self.heads, 3, -1).permute(3, 0, 2, 1, 4)

        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, H * W, C)
        h = pointwise(self.proj_out, h)
        return x + h.view(B, H, W, C).permute(0, 3, 1, 2)


class Halve(nn.Module):
    """Mean over 2 x 2 pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H / 2, W / 2]."""
        return F.avg_pool2d(x, 2)

    def adjoint(self, g: Tensor) -> Tensor:
        """A gradient in its result as one in what it reads."""
        return F.interpolate(g / 4, scale_factor=2, mode="nearest")


class Double(nn.Module):
    """Nearest-neighbour enlargement by 2."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, 2 H, 2 W]."""
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def adjoint(self, g: Tensor) -> Tensor:
        """A gradient in its result as one in what it reads."""
        return 4 * F.avg_pool2d(g, 2)


class Downsample(nn.Module):
    """A strided convolution, padded all around or (`at_end`) at the right and the bottom only."""

    def __init__(self, channels: int, at_end: bool = False):
        super().__init__()
        self.at_end = at_end
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=0 if at_end else 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H / 2, W / 2]."""
        return self.op(F.pad(x, (0, 1, 0, 1)) if self.at_end else x)


class Upsample(nn.Module):
    """Nearest-neighbour enlargement by 2 and a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, 2 H, 2 W]."""
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
