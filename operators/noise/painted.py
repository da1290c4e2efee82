"""Areas of a noisy photo that have no noise: borders, captions, skies that were put in afterwards.

still    tiles of TILE x TILE pixels that have one value, to the bit, as codecs keep it, too
painted  those of a colour that SHARE of all tiles have, and what has that colour at their rims;
         of black, white, or another that may be clipped, those that fill a side of the picture
noisy    e(2 %) >= LEAST e(25 %)    quantiles over tiles of the power of fine differences elsewhere

A photo without noise has still tiles as well, and less and less power in others: it is no noisy
photo with something painted in it, and what is still tells that it has no noise.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

TILE, SHARE, FEWEST = 4, 0.01, 8
AWAY, SIDE = 12, 8  # pixels from what is painted that codecs reach; of a tile of the power
LOW, QUARTER, LEAST = 0.02, 0.25, 0.2  # noise has .23 and more, but for very little of it
ENOUGH, CLIPPED = 12, 0.25  # tiles that tell whether a photo is noisy; share of clipped pixels
GRID = 16  # pixels, to which the rest of a photo is cut


def painted(pixels: Tensor) -> Tensor | None:
    """Where a noisy photo has no noise.

    Args:
        pixels: [B, C, H, W] of any range.

    Returns:
        True there, [B, 1, H, W]; None where nothing is painted, or the rest is not noisy.
    """
    if min(pixels.shape[-2:]) < 2 * SIDE:
        return None
    pixels = pixels.detach().float()
    high, low = F.max_pool2d(pixels, TILE), -F.max_pool2d(-pixels, TILE)
    still = (high == low).all(1)
    least = max(FEWEST, SHARE * still.numel())
    if int(still.sum()) < least:
        return None

    # Colours that many tiles have, and their own pixels around these.
    colours, counts = high.movedim(1, -1)[still].unique(dim=0, return_counts=True)
    out = torch.zeros_like(pixels[:, :1], dtype=torch.bool)
    for colour in colours[counts >= least]:
        own = (pixels == colour[:, None, None]).all(1, keepdim=True)
        if clips(pixels, colour) and not edges(own):
            continue
        tiles = still & (high == colour[:, None, None]).all(1)
        near = F.interpolate(tiles[:, None].float(), scale_factor=TILE)
        H, W = pixels.shape[-2:]
        near = F.pad(near, (0, W - near.shape[-1], 0, H - near.shape[-2]))
        out |= own & (grown(near, TILE) > 0)
    return out if bool(out.any()) and noisy(pixels, out) else None


def clips(pixels: Tensor, colour: Tensor) -> bool:
    """Whether a colour has a channel at an end of the range, where noise may have been cut off."""
    return bool(((colour == pixels.amax()) | (colour == pixels.amin())).any())


def edges(own: Tensor) -> bool:
    """Whether a mask [B, 1, H, W] has all of a side of the picture, as a border has."""
    sides = (own[..., 0, :], own[..., -1, :], own[..., 0], own[..., -1])
    return any(bool(side.all()) for side in sides)


def noisy(pixels: Tensor, without: Tensor) -> bool:
    """Whether there is noise all over a photo but where it is painted, or clipped."""
    fine = fine_differences(pixels)
    ends = (pixels == pixels.amax()) | (pixels == pixels.amin())
    clipped, near = (
        F.avg_pool2d(mask.float()[..., 1:, 1:], SIDE).flatten()
        for mask in (ends.any(1, keepdim=True), grown(without.float(), AWAY))
    )
    power = F.avg_pool2d(fine.square().sum(1, keepdim=True), SIDE).flatten()
    some = power[(near == 0) & (clipped <= CLIPPED)]
    if len(some) < ENOUGH:
        return False
    low, quarter = some.quantile(torch.tensor([LOW, QUARTER]).to(some)).tolist()
    return bool(low > 0 and low >= LEAST * quarter)


def fine_differences(pixels: Tensor) -> Tensor:
    """Differences of a picture down and across, [..., H - 1, W - 1]: of slopes there is nothing."""
    return pixels[..., 1:, 1:] + pixels[..., :-1, :-1] - pixels[..., 1:, :-1] - pixels[..., :-1, 1:]


def grown(mask: Tensor, pixels: int) -> Tensor:
    """A mask [B, 1, H, W] of 0 and 1, so many pixels wider on all sides."""
    return F.max_pool2d(mask, 2 * pixels + 1, 1, pixels)


def rest(without: Tensor) -> tuple[slice, slice]:
    """Rows and columns of the largest rectangle of a photo that has nothing of a mask in it.

    Args:
        without: [B, 1, H, W]; of the first.
    """
    free = F.max_pool2d(without[:1].float(), GRID, ceil_mode=True)[0, 0] == 0
    best, where, heights = 0, (slice(None), slice(None)), [0] * free.shape[1]
    for i, row in enumerate(free.tolist()):
        heights = [h + 1 if ok else 0 for h, ok in zip(heights, row, strict=True)]
        for j in range(len(heights)):
            height = heights[j]
            for k in range(j, len(heights)):
                height = min(height, heights[k])
                if height == 0:
                    break
                if (area := height * (k - j + 1)) > best:
                    best = area
                    rows = slice(GRID * (i - height + 1), GRID * (i + 1))
                    where = (rows, slice(GRID * j, GRID * (k + 1)))
    return where
