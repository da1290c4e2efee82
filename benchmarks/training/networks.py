"""Networks of the families that benchmarks/training/families.py compares; none of them ships.

Each takes x_t [B, 3, H, W] and times [B], and gives [eps, v] [B, 6, H, W]; its constructors draw
their weights from torch's generator.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.blocks import ResBlock, zero
from gdp.network.unet import UNet, sinusoid
from gdp.train.setup import DEFAULT_CONFIG


class Door(nn.Module):
    """A network that sees 2 x 2 pixels as one of four times the channels, and gives as many."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        """x_t [B, 3, H, W] at times [B]: [eps, v] [B, 6, H, W]."""
        h: Tensor = self.net(F.pixel_unshuffle(x, 2), timesteps)
        return F.pixel_shuffle(h, 2)


class Gated(nn.Module):
    """A UNet of NAFNet's blocks: strided convolutions down, pixel shuffles up, skips are added.

    Args:
        widths: channels of each level.
        blocks: at each level on either way; twice as many in the middle.
        c_in: channels of x_t.
    """

    def __init__(self, widths: Sequence[int], blocks: int = 2, c_in: int = 3):
        super().__init__()
        c, emb = widths[0], 4 * widths[0]
        self.width = c
        self.time_embed = nn.Sequential(nn.Linear(c, emb), nn.SiLU(), nn.Linear(emb, emb))

        def row(width: int, number: int = blocks) -> nn.ModuleList:
            return nn.ModuleList(GatedBlock(width, emb) for _ in range(number))

        pairs = list(pairwise(widths))
        self.first = nn.Conv2d(c_in, c, 3, padding=1)
        self.down = nn.ModuleList(row(width) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.middle = row(widths[-1], 2 * blocks)
        self.grow = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in reversed(pairs))
        self.up = nn.ModuleList(row(width) for width in reversed(widths[:-1]))
        self.last = zero(nn.Conv2d(c, 2 * c_in, 3, padding=1))

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        """x_t [B, c_in, H, W] at times [B]: [eps, v] [B, 2 c_in, H, W]."""
        emb = F.silu(self.time_embed(sinusoid(timesteps, self.width)))
        h, skips = self.first(x), []
        for row, shrink in zip(self.down, self.shrink, strict=True):
            h = through(row, h, emb)
            skips.append(h)
            h = shrink(h)

        h = through(self.middle, h, emb)
        for grow, row in zip(self.grow, self.up, strict=True):
            h = F.pixel_shuffle(grow(h), 2) + skips.pop()
            h = through(row, h.contiguous(memory_format=torch.channels_last), emb)
        out: Tensor = self.last(h)
        return out


class GatedBlock(nn.Module):
    """NAFNet's block of c channels: a depth-wise half and a pointwise half, each a residual."""

    def __init__(self, c: int, emb: int):
        super().__init__()
        self.film = zero(nn.Linear(emb, 4 * c))
        self.depthwise = nn.Sequential(
            nn.Conv2d(c, 2 * c, 1), nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c)
        )
        self.of_mean, self.first = nn.Conv2d(c, c, 1), nn.Conv2d(c, c, 1)
        self.pointwise, self.second = nn.Conv2d(c, 2 * c, 1), nn.Conv2d(c, c, 1)
        self.strength = nn.Parameter(torch.full((2, c, 1, 1), 0.1))

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """x [B, c, H, W] with the embedding [B, emb]."""
        film = self.film(emb)[..., None, None].chunk(4, 1)
        h = gate(self.depthwise(modulated(x, *film[:2])))
        h = h * self.of_mean(h.mean((2, 3), keepdim=True))
        x = torch.addcmul(x, self.first(h), self.strength[0])
        h = gate(self.pointwise(modulated(x, *film[2:])))
        return torch.addcmul(x, self.second(h), self.strength[1])


def modulated(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Each pixel's channels normalized, then (1 + scale) h + shift."""
    h = F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2]).permute(0, 3, 1, 2)
    return torch.addcmul(shift, h, 1 + scale)


def gate(h: Tensor) -> Tensor:
    """Half of the channels times the others."""
    a, b = h.chunk(2, 1)
    return a * b


def through(row: Any, h: Tensor, emb: Tensor) -> Tensor:
    """h through blocks in a row."""
    for block in row:
        h = block(h, emb)
    return h


def adm(width: int, mult: Sequence[float], attention: int, c: int = 3) -> UNet:
    """ADM's UNet as the bundled prior has it, of other widths and channels at its ends."""
    own = {"model_channels": width, "channel_mult": mult, "attention_downsampling": [attention]}
    config = {**DEFAULT_CONFIG, **own, "in_channels": c, "out_channels": 2 * c}
    return UNet(**{name: value for name, value in config.items() if name != "diffusion"})


def shared(net: UNet) -> UNet:
    """Let all levels of a UNet of one width share the ResBlocks of the same place."""
    parts: tuple[Any, ...] = net.input_blocks[1:], net.output_blocks
    for stages in parts:
        known: dict[Any, nn.Module] = {}
        for k, stage in enumerate(stages):
            for i, layer in enumerate(stage):
                if isinstance(layer, ResBlock):
                    place = k % (net.num_res_blocks + 1), type(layer.resample)
                    stage[i] = known.setdefault(place, layer)
    return net


FAMILIES: dict[str, Callable[[], nn.Module]] = {
    "adm": lambda: adm(64, (1, 1, 2, 1.5), 8),
    "adm_even": lambda: adm(64, (1, 1, 1, 1), 8),
    "adm_door": lambda: Door(adm(64, (1, 2, 1.5), 4, 12)),
    "gated": lambda: Gated((64, 96, 128, 128)),
    "shared": lambda: shared(adm(64, (1, 1, 1, 1), 8)),
}
