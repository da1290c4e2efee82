"""Networks that remove white noise of a std that they are told: FFDNet and DRUNet.

FFDNet (Zhang, Zuo & Zhang, IEEE TIP 2018): a picture in quarters of its resolution, convolved.

    x [C, 2H, 2W] -> [4 C, H, W], beside it sigma [1, H, W] -> N convs, ReLU -> [C, 2H, 2W]

DRUNet (Zhang et al., Plug-and-play image restoration with deep denoiser prior, TPAMI 2021): a UNet
of residual blocks without bias, whose skips are added.

    [x, sigma] -> head -> 3 times (blocks, halve) -> blocks -> 3 times (add, double, blocks) -> tail

Names of parameters are those of the files that their authors published; widths and depths are read
from the parameters' shapes.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FFDNet(nn.Module):
    """FFDNet.

    Args:
        channels: of pictures.
        width: of the layers.
        layers: how many.
    """

    divisor = 2

    def __init__(self, channels: int = 3, width: int = 96, layers: int = 12):
        super().__init__()
        self.channels = channels
        widths = [4 * channels + 1, *[width] * (layers - 1), 4 * channels]
        parts: list[nn.Module] = []
        for before, after in pairwise(widths):
            parts += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        self.model = nn.Sequential(*parts[:-1])

    def forward(self, x: Tensor, sigma: float) -> Tensor:
        """The clean picture of a noisy one.

        Args:
            x: [B, C, H, W] in [0, 1] where clean; `divisor` divides H and W.
            sigma: std of its noise.
        """
        quarters = F.pixel_unshuffle(x, 2)
        level = torch.full_like(quarters[:, :1], sigma)
        return F.pixel_shuffle(self.model(torch.cat([quarters, level], 1)), 2)


class Block(nn.Module):
    """x + conv(ReLU(conv(x)))."""

    def __init__(self, width: int):
        super().__init__()
        self.res = nn.Sequential(conv(width, width), nn.ReLU(), conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """The same size [B, width, H, W]."""
        out: Tensor = x + self.res(x)
        return out


class DRUNet(nn.Module):
    """DRUNet.

    Args:
        channels: of pictures.
        widths: of the four levels.
        blocks: of each level.
    """

    divisor = 8

    def __init__(
        self, channels: int = 3, widths: tuple[int, ...] = (64, 128, 256, 512), blocks: int = 4
    ):
        super().__init__()
        self.channels = channels
        self.m_head = conv(channels + 1, widths[0])
        for k, (outer, inner) in enumerate(pairwise(widths), 1):
            down = nn.Conv2d(outer, inner, 2, stride=2, bias=False)
            up = nn.ConvTranspose2d(inner, outer, 2, stride=2, bias=False)
            self.add_module(f"m_down{k}", nn.Sequential(*blocks_of(outer, blocks), down))
            self.add_module(f"m_up{k}", nn.Sequential(up, *blocks_of(outer, blocks)))
        self.m_body = nn.Sequential(*blocks_of(widths[-1], blocks))
        self.m_tail = conv(widths[0], channels)

    def forward(self, x: Tensor, sigma: float) -> Tensor:
        """The clean picture of a noisy one.

        Args:
            x: [B, C, H, W] in [0, 1] where clean; `divisor` divides H and W.
            sigma: std of its noise.
        """
        levels = [self.m_head(torch.cat([x, torch.full_like(x[:, :1], sigma)], 1))]
        for k in (1, 2, 3):
            levels.append(self.get_submodule(f"m_down{k}")(levels[-1]))

        h = self.m_body(levels[-1])
        for k in (3, 2, 1):
            h = self.get_submodule(f"m_up{k}")(h + levels[k])
        out: Tensor = self.m_tail(h + levels[0])
        return out


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    """DRUNet's convolution: 3x3, without bias."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


def blocks_of(width: int, count: int) -> list[Block]:
    """So many residual blocks."""
    return [Block(width) for _ in range(count)]


def denoiser_of(weights: Mapping[str, Tensor]) -> FFDNet | DRUNet | None:
    """The network, on the meta device, that parameters of these names and shapes are of.

    Returns:
        None where they are of neither.
    """
    with torch.device("meta"):
        if "m_head.weight" in weights and "m_body.0.res.0.weight" in weights:
            names = ("m_head", "m_down2.0.res.0", "m_down3.0.res.0", "m_body.0.res.0")
            widths = tuple(len(weights[f"{n}.weight"]) for n in names if f"{n}.weight" in weights)
            blocks = sum(n.startswith("m_body.") and n.endswith("res.0.weight") for n in weights)
            return (
                DRUNet(len(weights["m_tail.weight"]), widths, blocks) if len(widths) == 4 else None
            )

        layers = sorted(int(n.split(".")[1]) for n in weights if is_layer(n))
        if layers and len(layers) > 1 and weights[f"model.{layers[-1]}.weight"].ndim == 4:
            last = weights[f"model.{layers[-1]}.weight"]
            return FFDNet(len(last) // 4, last.shape[1], len(layers))
    return None


def is_layer(name: str) -> bool:
    """Whether this is the name of the weights of one of FFDNet's layers."""
    parts = name.split(".")
    return len(parts) == 3 and parts[0] == "model" and parts[1].isdigit() and parts[2] == "weight"
