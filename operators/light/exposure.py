"""How strong the light was, from the statistics that photos share.

u      = the exposures put together, each divided by its factor relative to the first; values that
         are burnt out or black count little
top    = the 99 % quantile of max_c u, without what noise adds; the median likewise
         over a small picture, so that noise and the photo's size hardly matter
f, w     by operators/light/brightness.py: f phi(x) = y for a well exposed x
"""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.light.brightness import ANY, QUANTILE, WHITE, Goal

# The shorter side of the small picture, in pixels.
SMALL = 64

# Values from which light is burnt out, and up to which it counts as black; [0, 1] units.
BURNT, BLACK = 0.985, 0.02

# A picture without a value above this is black all over.
DARKEST = 0.004


class Exposure(NamedTuple):
    """The light of photos [B, 3K, H, W].

    Attributes:
        factors: f [B, K].
        white: w [B].
        doubt: std of log f [B].
        bright: what white has in the exposures [B, K], whatever the scene should look like.
    """

    factors: Tensor
    white: Tensor
    doubt: Tensor
    bright: Tensor


def find_exposure(
    pixels: Tensor,
    K: int,
    sigma: float = 0.0,
    goal: Goal = ANY,
    flat: Tensor | None = None,
) -> Exposure:
    """f and w of K exposures of each scene.

    Args:
        pixels: [B, 3K, H, W] in light's own scale, white = 1.
        K: exposures of a scene.
        sigma: std of their noise.
        goal: what the scene should look like.
        flat: how flat each scene is [B], by operators/light/black_level.py; None: not at all.

    Raises:
        ValueError: they are black or white all over.
    """
    # The factors relative to the first exposure, and the light by all of them.
    y = block_means(pixels)
    ratios = [factor_ratio(a, b) for a, b in pairwise(y.chunk(K, 1))]
    factors = torch.stack([torch.ones(len(y)).to(y), *ratios], 1).cumprod(1)
    u = merge(y, factors.repeat_interleave(3, 1)[..., None, None], trust(y))

    darkest, brightest = float(y.amin()), float(y.amax())
    if brightest < DARKEST or darkest > BURNT:
        raise ValueError(
            f"the picture is {'black' if brightest < DARKEST else 'white'} all over, "
            "so its light cannot be found; take another"
        )

    # The quantiles that tell the light, without what noise adds to them.
    noise = sigma / (pixels.shape[-1] / y.shape[-1]) / factors.square().sum(1).sqrt()
    quantiles = (bright_quantiles(u) - noise_rise(u, noise)).clamp_min(1e-4)
    burnt = (y >= BURNT).unflatten(1, (K, -1)).all(1).any(1).flatten(1).double().mean(1)

    # Several exposures have no white of their own: their scene's is taken for it.
    scale = (quantiles[1] / WHITE) if K > 1 else torch.ones_like(quantiles[1])
    flat = torch.zeros_like(burnt) if flat is None else flat
    changes = [
        goal.change(*(float(value) for value in values))
        for values in zip(*(quantiles / scale), burnt, flat, strict=True)
    ]
    f, white, doubt = (
        y.new_tensor(values)
        for values in zip(*((c.factor, c.white, c.doubt) for c in changes), strict=True)
    )
    bright = factors * quantiles[1, :, None] / WHITE
    return Exposure(factors * (scale * f)[:, None], white, doubt, bright)


def block_means(pixels: Tensor) -> Tensor:
    """A small picture, SMALL pixels along the shorter side.

    It has fewer where the photo is small, since its noise should not count.
    """
    H, W = pixels.shape[-2:]
    r = max(1.0, min(4.0, min(H, W) / 16), min(H, W) / SMALL)
    return F.adaptive_avg_pool2d(pixels, (max(1, round(H / r)), max(1, round(W / r))))


def bright_quantiles(u: Tensor) -> Tensor:
    """The median and the QUANTILE of max_c u, [2, B]."""
    return u.amax(1).flatten(1).quantile(u.new_tensor([0.5, QUANTILE]), 1)


def noise_rise(u: Tensor, std: Tensor) -> Tensor:
    """How much noise of a std [B] raises `bright_quantiles`, tried on the smoothed picture."""
    if not std.any():
        return torch.zeros_like(bright_quantiles(u))
    calm = F.avg_pool2d(u, 3, 1, 1, count_include_pad=False)
    noise = torch.randn(u.shape[1:], generator=torch.Generator().manual_seed(0)).to(u)
    return bright_quantiles(calm + std.view(-1, 1, 1, 1) * noise) - bright_quantiles(calm)


def trust(y: Tensor) -> Tensor:
    """How much values in [0, 1] say about the light: nothing at both ends."""
    return ((y - BLACK / 2) / BLACK).clamp(1e-3, 1) * ((BURNT - y) / 0.05).clamp(1e-3, 1)


def factor_ratio(a: Tensor, b: Tensor) -> Tensor:
    """f_b / f_a [B] of two exposures: the median over values that both show well."""
    good = trust(a).minimum(trust(b)) > 0.5
    logs = (b.clamp_min(1e-4) / a.clamp_min(1e-4)).log()
    return torch.stack(
        [one[ok].median() if ok.any() else one.mean() for one, ok in zip(logs, good, strict=True)]
    ).exp()


def merge(y: Tensor, f: Tensor, weights: Tensor) -> Tensor:
    """The light behind several exposures, by weighted least squares.

    Args:
        y: [B, 3K, h, w].
        f: their factors [B, 3K, 1, 1].
        weights: [B, 3K, h, w].

    Returns:
        u [B, 3, h, w].
    """
    K = y.shape[1] // 3
    top, bottom = ((weights * f * z).unflatten(1, (K, 3)).sum(1) for z in (y, f))
    return top / bottom
