"""Frames of a film, steadied: what two results differ in without reason is taken out.

    flow     of frame n to frame n - 1                          (dense Lucas-Kanade, scikit-image)
    past     = result n - 1, moved along the flow
    sure     = exp(-|frame n - moved frame n - 1|^2 / (2 v)),   v: what noise makes of a difference
    result   = (1 - STEADY sure) result + STEADY sure past

Where the flow is wrong or something new comes into view, the frames differ by more than noise, and
the past does not count. It is a recursive filter: results of many frames are averaged where they
show the same, which takes out noise as well.
Source of the flow: Le Besnerais & Champagnat, Dense optical flow by iterative local window
registration, ICIP 2005.
"""

from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

STEADY = 0.75  # the most that the past counts
RADIUS = 7  # pixels of the window in which a movement is sought
LOCAL = 5  # pixels a side over which differences are averaged
FAITH = 1.5  # times the noise's variance that is taken for no difference
ROUND = 0.01  # std of differences that even frames without noise have, [0, 1] units


class Past(NamedTuple):
    """The frame before, and its result, [1, 3, h, w] and [1, 3, H, W] in [0, 1]."""

    frame: Tensor
    result: Tensor


def check() -> None:
    """Raise ValueError where the flow cannot be had."""
    if find_spec("skimage") is None:
        raise ValueError(
            "video=true follows movements by the package scikit-image; "
            "pip install 'gdp-restore[video]'"
        )


def steadied(pixels: Tensor, frame: Tensor, past: Past, sigma: float) -> Tensor:
    """A result with what it has in common with the result before.

    Args:
        pixels: results of the frame [S, 3, H, W] in [0, 1].
        frame: the frame itself, [1, 3, h, w].
        past: the frame before; of other sizes it does not count.
        sigma: std of the frames' noise, [0, 1] units.
    """
    if past.frame.shape != frame.shape or past.result.shape[1:] != pixels.shape[1:]:
        return pixels
    motion = flow(frame, past.frame)
    moved = warp(past.frame.to(frame), motion)
    past_result = warp(past.result.to(pixels), resized(motion, pixels.shape[-2:]).to(pixels))

    # Where both frames show the same: of LOCAL^2 pixels the mean difference.
    off = (frame - moved).square().mean(1, keepdim=True)
    off = F.avg_pool2d(F.pad(off, [LOCAL // 2] * 4, mode="replicate"), LOCAL, 1)
    usual = FAITH * 2 * sigma**2 + ROUND**2
    sure = (-(off - usual).clamp_min(0) / (2 * (sigma**2 / LOCAL + ROUND**2))).exp()
    sure = F.interpolate(sure, pixels.shape[-2:], mode="bilinear", align_corners=False)
    return torch.lerp(pixels, past_result.expand_as(pixels), STEADY * sure.to(pixels))


def flow(frame: Tensor, before: Tensor) -> Tensor:
    """By how many pixels (down, right) each pixel of a frame lay elsewhere before: [1, 2, h, w]."""
    from skimage import registration

    here, there = (one.mean(1)[0].cpu().numpy() for one in (frame, before))
    lucas_kanade: Any = registration.optical_flow_ilk
    found = lucas_kanade(here, there, radius=min(RADIUS, (min(here.shape) - 1) // 2))
    return torch.from_numpy(found).float()[None].to(frame)


def resized(motion: Tensor, size: tuple[int, ...] | torch.Size) -> Tensor:
    """A flow [1, 2, h, w] in pixels of a picture of another size."""
    scale = torch.tensor([n / m for n, m in zip(size, motion.shape[-2:], strict=True)])
    large = F.interpolate(motion, tuple(size), mode="bilinear", align_corners=False)
    return large * scale.view(1, 2, 1, 1).to(motion)


def warp(picture: Tensor, motion: Tensor) -> Tensor:
    """A picture [1, C, H, W], each pixel taken from where the flow says."""
    H, W = picture.shape[-2:]
    rows = torch.arange(H, device=picture.device).view(-1, 1) + motion[0, 0]
    columns = torch.arange(W, device=picture.device).view(1, -1) + motion[0, 1]
    at = torch.stack([(2 * columns + 1) / W - 1, (2 * rows + 1) / H - 1], -1)[None]
    mode, edge = "bicubic", "border"
    return F.grid_sample(picture, at.to(picture), mode, edge, align_corners=False)
