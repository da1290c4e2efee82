"""f, w and M from y alone.

M      by operators/light/stray/network.py, from y
f, w   by operators/light/exposure.py, from y - M

There are two starts, for a veil of stray light cannot be told from a scene without anything dark:
with the M that is found, and without any. How likely the second is, the dark level tells:

z        = (M_0 / f - DARKEST) / DIFFERS           M_0: of stray/dark_level.py, its mean
p(none)  = (1 + z^2 / 2)^-1.5 / (1 + (1 + z^2 / 2)^-1.5)   z >= 0; Student's t of 2 degrees, since
                                                   photos without M have z up to 3.5 (one in ten)
log f    ~ a mixture of normals about the f of both, of std WIDER times what y's statistics leave
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from operators.light.brightness import Goal
from operators.light.exposure import Exposure, find_exposure
from operators.light.light_model import resized
from operators.light.stray.dark_level import DARKEST, DIFFERS, DarkLevel
from operators.light.stray.network import stray_light

# The std of log f as a multiple of what whites and medians of photos differ by, such that 90 % of f
# lie in the interval, by the error of that share too: of 60 photos darkened without M 93 % do, and
# 99 % with M. Of 12 others, on which nothing was chosen, 92 % and all.
WIDER = 2.1


class Starts(NamedTuple):
    """The light with stray light, and without: two columns, or one where there can be none.

    Attributes:
        f: of the first exposure [B, S].
        doubt: std of log f [B, S].
        evidence: how likely each is [B, S]; the sum is 1.
    """

    f: Tensor
    doubt: Tensor
    evidence: Tensor


def first_light(
    p: Tensor,
    M: Tensor,
    sigma: float,
    goal: Goal,
    mask: bool,
    flat: Tensor | None = None,
) -> tuple[Exposure, Tensor, Starts]:
    """The light of photos.

    Args:
        p: y01 [B, 3K, H, W].
        M: zeros [B, K or 3K, grid, grid]: a map for all colours, or one for each.
        sigma: std of the noise.
        goal: what the scene should look like.
        mask: whether there is an M; else, and of several exposures, it stays 0.
        flat: how flat the photos were [B], before their black was taken away.

    Returns:
        f and w, M, and what else they may be.

    Raises:
        ValueError: a photo is black or white all over.
    """
    K = p.shape[1] // 3
    light = plain = find_exposure(p, K, sigma, goal, flat)
    f, doubt = plain.factors[:, :1], WIDER * plain.doubt[:, None]
    if not mask or K > 1:
        return light, M, Starts(f, doubt, torch.ones_like(f))

    found = torch.cat([stray_light(part, sigma) for part in p.chunk(M.shape[1], 1)], 1)
    M = resized(found, M.shape[-2:])
    every = resized(M, p.shape[-2:]).repeat_interleave(3 // M.shape[1], 1)
    light = find_exposure(p - every, K, sigma, goal, flat)

    # Both are kept, each with its evidence.
    none = torch.stack(
        [
            none_likely(one[None], float(bright), sigma)
            for one, bright in zip(p, plain.bright, strict=True)
        ]
    ).to(f)
    f = torch.cat([light.factors[:, :1], f], 1)
    doubt = torch.cat([WIDER * (light.doubt[:, None] ** 2 + DIFFERS**2).sqrt(), doubt], 1)
    return light, M, Starts(f, doubt, torch.stack([1 - none, none], 1))


def none_likely(p: Tensor, bright: float, sigma: float) -> Tensor:
    """p(none) of a photo [1, 3, H, W] in which white has `bright`."""
    z = (DarkLevel()(p, bright, sigma).mean() / bright - DARKEST) / DIFFERS
    none = (1 + z.clamp_min(0) ** 2 / 2) ** -1.5
    return none / (1 + none)


def interval(starts: Starts, image: int = 0, share: float = 0.9) -> tuple[float, float]:
    """Between what f of the first exposure of an image lies, with a probability of `share`."""
    rows = [column[image].tolist() for column in starts]
    parts = [(math.log(f), std, weight) for f, std, weight in zip(*rows, strict=True)]

    def quantile(p: float) -> float:
        low = min(mean - 6 * std for mean, std, _ in parts)
        high = max(mean + 6 * std for mean, std, _ in parts)
        for _ in range(50):
            middle = (low + high) / 2
            below = sum(
                weight * (1 + math.erf((middle - mean) / (std * 2**0.5))) / 2
                for mean, std, weight in parts
            )
            low, high = (middle, high) if below < p else (low, middle)
        return math.exp(low)

    return quantile((1 - share) / 2), quantile((1 + share) / 2)
