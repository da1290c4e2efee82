"""Stray light M by a small network, which learned from photos what darkness is their own.

u     = y / top        a picture of 64 x 64 means; top: the 99 % quantile of its max_c
v     = min(max(0, u), BRIGHT)
M_0   = min(max(0, top net(v, log(v + DARK), dark, log noise)), MOST)      on a grid of 8 x 8,
        the mean of the picture's eight views, turned and mirrored
dark  = the least of min_c v around each pixel, near and farther, of a smoothed v where it is far
noise = std of y's noise there, divided by top
M     = M_0 / (1 + (SCENE (top - mean M_0))^2 / mean M_0^2)

Trained on photos darkened by an f of .03 to .6, with random veils and without, so that the mean
squared error of M is least (benchmarks/training/stray_light.py): where nothing tells M from the
scene, little is found. It knows more than what is dark does (dark_level.py): veiled colours are
pale, and veiled contrasts low. Few cameras have stray light, so that what is little beside the
scene's own light is believed less still.
"""

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

WEIGHTS = Path(__file__).with_name("stray_light.safetensors")

# Sides of the small picture and of M's grid.
SIDE, GRID = 64, 8

# Pixels over which v is smoothed, and around which the darkest is sought then.
DARKEST = ((1, 5), (3, 13), (5, 29))

# The quantile of max_c that is called white, and the least that it may be.
WHITE, LEAST = 0.99, 1e-4

# The most of v, what is added to values and to noise before their logarithm, and M's own scale.
BRIGHT, DARK, QUIET, SCALE = 1.5, 0.03, 0.01, 0.3

# The most M, [0, 1] units: stray light is faint, and a bright wall is none; and the share of white
# from which it is believed (even ones of 12 photos).
MOST, SCENE = 0.1, 0.16


class StrayNetwork(nn.Module):
    """M / top [B, 1, GRID, GRID] of a small picture u [B, 3, SIDE, SIDE] and its noise [B]."""

    def __init__(self, width: int = 96, depths: tuple[int, ...] = (1, 2, 1, 2, 1)):
        super().__init__()
        down = [nn.Conv2d(a, b, 3, 2, 1) for a, b in ((10, 24), (24, 48), (48, width))]
        self.down = nn.Sequential(down[0], nn.SiLU(), down[1], nn.SiLU(), down[2])
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, 1, d, d) for d in depths)
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for _ in depths)
        self.means = nn.ModuleList(nn.Linear(width, width) for _ in depths)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, u: Tensor, noise: Tensor) -> Tensor:
        h = self.down(seen(u, noise))
        for norm, conv, mean in zip(self.norms, self.convs, self.means, strict=True):
            g = F.silu(norm(h))
            h = h + conv(g + mean(g.mean((2, 3)))[:, :, None, None])  # the whole picture counts
        return SCALE * self.out(F.silu(h))


def seen(u: Tensor, noise: Tensor) -> Tensor:
    """What the network looks at, [B, 10, SIDE, SIDE]; arguments as it has them."""
    v, least = u.clamp(0, BRIGHT), u.amin(1, keepdim=True)
    smooth = [F.avg_pool2d(least, n, 1, n // 2, count_include_pad=False) for n, _ in DARKEST]
    dark = [
        darkest(part, n).clamp_max(BRIGHT) for part, (_, n) in zip(smooth, DARKEST, strict=True)
    ]
    level = (noise + QUIET).log().view(-1, 1, 1, 1).expand_as(least)
    return torch.cat([v, (v + DARK).log() + 1.5, *dark, level + 2], 1)


def darkest(p: Tensor, n: int) -> Tensor:
    """The least value of p [B, 1, H, W] among n x n pixels around each."""
    rows = F.max_pool2d(-p, (n, 1), 1, (n // 2, 0))
    return -F.max_pool2d(rows, (1, n), 1, (0, n // 2))


def normalised(y: Tensor) -> tuple[Tensor, Tensor]:
    """u and top [B, 1, 1, 1] of small pictures [B, 3, SIDE, SIDE]."""
    top = y.amax(1).flatten(1).quantile(WHITE, 1).clamp_min(LEAST).view(-1, 1, 1, 1)
    return y / top, top


def shrunk(pixels: Tensor, sigma: float) -> tuple[Tensor, Tensor, Tensor]:
    """u, its noise [B] and top of pictures; arguments as `stray_light` has them."""
    H, W = pixels.shape[-2:]
    u, top = normalised(F.adaptive_avg_pool2d(pixels, SIDE).expand(-1, 3, -1, -1))
    return u, sigma * min(1.0, SIDE / (H * W) ** 0.5) / top.flatten(), top


def from_all_sides(network: StrayNetwork, u: Tensor, noise: Tensor) -> Tensor:
    """The mean of what it finds in pictures turned and mirrored; arguments as the network has them.

    They go through it one by one: what is found in a picture is its own to the bit.
    """
    maps = []
    for one, level in zip(u.split(1), noise.split(1), strict=True):
        views = [torch.rot90(v, k, (2, 3)) for v in (one, one.flip(-1)) for k in range(4)]
        found = network(torch.cat(views), level.expand(len(views))).split(1)
        upright = [torch.rot90(m, -k % 4, (2, 3)) for k, m in enumerate(found)]
        maps.append(torch.stack([*upright[:4], *(m.flip(-1) for m in upright[4:])]).mean(0))
    return torch.cat(maps)


@cache
def trained() -> StrayNetwork:
    """The network with the weights that ship with the program."""
    network = StrayNetwork().eval().requires_grad_(False)
    network.load_state_dict({k: v.float() for k, v in load_file(WEIGHTS).items()})
    return network


@torch.no_grad()
def stray_light(pixels: Tensor, sigma: float) -> Tensor:
    """M [B, 1, GRID, GRID] of pictures.

    It is found on the CPU in float32, the same for every device.

    Args:
        pixels: y [B, 3 or 1, H, W] in [0, 1].
        sigma: std of y's noise.
    """
    u, noise, top = shrunk(pixels.detach().cpu().float(), sigma)
    with torch.autocast("cpu", enabled=False):
        M = (top * from_all_sides(trained(), u, noise)).clamp(0, MOST)

    rest = SCENE * (top - M.mean((2, 3), keepdim=True))
    M = M / (1 + rest.square() / M.square().mean((2, 3), keepdim=True).clamp_min(1e-12))
    return M.to(pixels)
