"""f, w and M from the statistics of y alone: each needs the others, so they are found by turns.

f, w   by operators/light/exposure.py, from y - M
M      by operators/light/stray_light.py, from y and what white has in it
"""

import torch
from torch import Tensor

from operators.light.brightness import Goal
from operators.light.exposure import Exposure, find_exposure
from operators.light.light_model import resized
from operators.light.stray_light import StrayLight

TURNS = 3


def first_light(
    p: Tensor, M: Tensor, sigma: float, goal: Goal, stray_light: StrayLight | None
) -> tuple[Exposure, Tensor]:
    """The light of photos.

    Args:
        p: y01 [B, 3K, H, W].
        M: zeros [B, K or 3K, grid, grid]: a map for all colours, or one for each.
        sigma: std of the noise.
        goal: what the scene should look like.
        stray_light: finds M; without it, and for several exposures, M stays 0.

    Returns:
        f and w, and M.

    Raises:
        ValueError: a photo is black or white all over.
    """
    K = p.shape[1] // 3
    light = find_exposure(p, K, sigma, goal)
    if stray_light is None or K > 1:
        return light, M

    maps = M.shape[1]
    for _ in range(TURNS):
        found = [
            stray_light(part[None], float(bright), sigma)
            for one, bright in zip(p, light.bright, strict=True)
            for part in one.chunk(maps)
        ]
        M = resized(torch.cat(found), M.shape[-2:]).view_as(M)
        every = resized(M, p.shape[-2:]).expand(-1, 3, -1, -1)
        light = find_exposure(p - every, K, sigma, goal)
    return light, M
