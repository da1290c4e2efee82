"""Never worse than the photo: a result is compared with what y and its model allow.

distance   rms(A x - y) <= FAR sigma_y + SLACK        no result is farther from y than y's noise
shift      rms(M (A x - y)) <= FAR rms(M n) + SLACK   M: means over SHIFT x SHIFT pixels
detail     q(x) = fine(x) / coarse(x)                 of contrasts, tile by tile
           q(x) <= max(NATURAL, GAIN q(y))            but in a share CRACKED of the tiles
rings      w = 1.5 - 2.5 |x - R(x)| / |x - y|         R: into y's range around each pixel
           of a blur that was found: w x + (1 - w) y  w from 0 to 1

Of noise of known colour much is allowed where most of it is: in all, but not in the means of a
JPEG's or a phone's photo, where light and colours are that no noise has changed.

Photos fall off as 1 / f, so that their contrast is about the same at every scale; worms, zebras and
checkerboards have more of it at one pixel than at four. A y with such detail of its own, print or
noise, allows as much. Of a dark y it is what shows when its light is mended: faint noise counts as
much as in the result. That test needs a y of x's own size. Besides, a photo that may be good as it
is is moved no farther than its operator says (`held`).

A kernel that is found may be wrong, or right for a part of the photo alone. What it gives has rings
and stripes, that lie beyond what the blurred photo has around them; undone blur makes edges steeper
rather than brighter. The mean over what the kernel may be is nearer to the photo, the more so the
more of them there are. Half of 98 photos with blur of cameras, of things in them or of simulation
told w, a little steeper for one of the others; these gain 1.6 dB, and none loses, where x itself
gains 1.2 and 14 lose up to 3.7. Seven photos seen after that gain 1.7, and one loses .1.
Source of the law: Field, Relations between the statistics of natural images, JOSA A 1987.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.picture import to_image, to_model
from operators.base import LinearOperator, Operator
from operators.noise.whitened import Whitened
from operators.tools.rms import rms_of_each

# Times the noise, and rms in [-1, 1] units, that a result may be from y. What is found along with a
# picture, light above all, is matched less closely.
FAR, SLACK, LOOSE = 3.0, 0.04, 0.12

# Pixels a side of means in which the noise of an operator that is known is nearly gone.
SHIFT = 16

# Fine contrast as a share of coarse contrast that few tiles of photos exceed (90 % of each photo's
# are below 1.7, with rare exceptions), and how many times y's own it may be.
NATURAL, GAIN = 1.8, 1.5

# Pixels of a tile, contrast below which it counts as empty ([-1, 1] units), and the share of tiles
# that may be out of bounds.
TILE, FAINT, CRACKED = 32, 0.03, 0.1

# Pixels a side of y's range around a pixel, the share of a change that may lie beyond it, and how
# fast what is kept of the change falls with more.
AROUND, BEYOND, FALLS = 15, 0.2, 2.5

# The same share beyond interpolation, which steep edges leave: City100's have up to .42 and gain by
# it, other enlargements up to .28; a kernel that was found in noise had .83.
BEYOND_ENLARGED = 0.45

# The share of a result below which a user is told that so much of the photo stays.
TOLD = 0.6


class Verdict(NamedTuple):
    """Whether a result may be shown, and why not."""

    passed: bool
    why: str = ""


def judge(pixels: Tensor, A: Operator, y: Tensor, detail: bool = True) -> Verdict:
    """Compare a result with the photo that it is of.

    Args:
        pixels: the result [S, 3, H, W] in [0, 1].
        A: the operator as bound, with y's noise.
        y: the measurement [1, ...] in [-1, 1].
        detail: whether fine patterns count, too.
    """
    x = to_model(pixels).to(y)
    with torch.no_grad():
        misfit = A.misfit(x[:1], y)
        off = float(misfit.square().mean().sqrt())

    # Farther from y than its noise can be.
    linear = isinstance(A, LinearOperator) and not A.blind
    allowed = FAR * A.sigma_y + (SLACK if linear else LOOSE)
    if off > allowed:
        off, allowed = off * A.unit, allowed * A.unit
        return Verdict(False, f"lies {off:.3g} from it, where {allowed:.3g} is explained")

    # Other light and colours than its noise, where it has a colour of its own, can have brought.
    off, allowed = (value * A.unit for value in shift(misfit, A, y))
    if off > allowed:
        why = f"has light or colours that lie {off:.3g} from it, where {allowed:.3g} is explained"
        return Verdict(False, why)

    # Detail that neither y nor a photo has.
    if detail and y.shape[1:] == x.shape[1:] and min(x.shape[-2:]) >= 2 * TILE:
        seen = to_model(A.developed(y)).to(x) if A.offers("developed") else y
        share = cracked(x, seen)
        if share > CRACKED:
            return Verdict(False, f"has patterns that it has not, in {share:.0%} of the picture")

    return Verdict(True)


def shift(misfit: Tensor, A: Operator, y: Tensor) -> tuple[float, float]:
    """How far a result is from y in means over SHIFT pixels, and how far it may be.

    Args:
        misfit: how far it is pixel by pixel, of y's shape.
        A: the operator as bound; of noise that is white, or of what is found along with the
            picture, nothing is asked.
        y: the measurement.
    """
    if A.blind or min(y.shape[-2:]) < 2 * SHIFT:
        return 0.0, math.inf
    whitened, _ = A.whitened(y)
    if not isinstance(whitened, Whitened):
        return 0.0, math.inf
    off = float(F.avg_pool2d(misfit, SHIFT).square().mean().sqrt())
    return off, FAR * whitened.W.coarse(SHIFT) + SLACK


def held(pixels: Tensor, A: Operator, y: Tensor) -> tuple[Tensor, str]:
    """Results drawn back to their photo, as far as they lie too far from it, or have rings.

    Arguments are those of `judge`.

    Returns:
        The results [S, 3, H, W], no farther than `A.moves`; and what a user is told of rings.
    """
    if math.isinf(A.moves) and not A.may_ring:
        return pixels, ""
    before, remark = to_image(y).to(pixels), ""
    enlarged = before.shape[1:] != pixels.shape[1:]
    before = interpolated(before, pixels) if enlarged else before

    if not math.isinf(A.moves):
        moved = 2 * rms_of_each(pixels - before)
        share = (A.moves / moved.clamp_min(1e-6)).clamp(max=1)
        pixels = torch.lerp(before.expand_as(pixels), pixels, share)
    if A.may_ring:
        rings, free = beyond(pixels[:1], before), BEYOND_ENLARGED if enlarged else BEYOND
        kept = min(1.0, max(0.0, 1 - FALLS * (rings - free)))
        pixels = torch.lerp(before.expand_as(pixels), pixels, kept)
        remark = "" if kept > TOLD else f"it has rings, so that {1 - kept:.0%} of the photo stays"
    return pixels, remark


def interpolated(photo: Tensor, like: Tensor) -> Tensor:
    """A photo [1, 3, h, w] in [0, 1], enlarged to the size of a result."""
    size = (like.shape[-2], like.shape[-1])
    return F.interpolate(photo, size, mode="bicubic", antialias=True).clamp(0, 1)


def cracked(x: Tensor, y: Tensor) -> float:
    """The share of tiles of x [S, C, H, W] with more fine contrast than y [1, C, H, W] allows."""
    fine, coarse = contrasts(x)
    fine_y, coarse_y = contrasts(y)

    allowed = (GAIN * fine_y / coarse_y.clamp_min(FAINT)).clamp_min(NATURAL)
    return float((fine > allowed * coarse.clamp_min(FAINT)).float().mean())


def beyond(x: Tensor, y: Tensor) -> float:
    """The share, by rms, of what x [1, C, H, W] changes of y that lies beyond y's range around."""
    margin = AROUND // 2
    most, least = (sign * F.max_pool2d(sign * y, AROUND, 1, margin) for sign in (1, -1))
    change = (x - y).square().mean().sqrt().clamp_min(1e-6)
    return float((x - x.clamp(least, most)).square().mean().sqrt() / change)


def contrasts(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rms of what is finer than two pixels, and of what is between four and eight, by tiles."""
    grey = x.mean(1, keepdim=True)
    halves = [grey]
    for _ in range(3):
        halves.append(F.avg_pool2d(halves[-1], 2))

    # What is lost from one scale to the next; of the coarse ones the mean of two.
    lost = [
        (a - F.interpolate(b, a.shape[-2:], mode="nearest")).square() for a, b in pairwise(halves)
    ]
    tiles = [F.avg_pool2d(e, TILE // 2**k) for k, e in enumerate(lost)]
    rows, columns = (min(t.shape[i] for t in tiles) for i in (-2, -1))
    fine, _, coarse = (t[..., :rows, :columns].sqrt() for t in tiles)
    return fine, coarse
