"""Whether detail hides the noise that was found, or is what was found: a last look at the result.

p        = 1 / (1 + exp(-(w_0 + sum of w_m log m)))     m, of a photo y and its result x:
share    = p of a JPEG, of others (p - 0.1) / 0.4 within 0 and 1

plain, fair    2 % and 25 % quantiles of what is fine in grey in the tiles of x
busy, most     90 % quantile of the same of y, median of the same of y - x
               each over what is fine in the noise claimed at the tile's brightness
low, middle    how much of the claim was taken of the colours at low and middle frequencies
finest         of grey, at the highest

Noise is in every tile, also where nothing else is: there it is taken away, and what is left is
plain. Where each tile has more detail than is claimed, a photo is full of texture: its patches had
nothing smooth to measure noise in. Noise that is there goes from the colours at low frequencies.

The weights are those of the highest gain (dB), what is lost counted twice, of half of 1,600 photos
and parts that came from real cameras or were degraded in 14 ways: left as they are, by a camera's
noise, grain, blur, codecs. The other half, of other scenes, is in docs/noise.md.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.restore.noise import NoiseModel
from gdp.restore.noise.doubt.evidence import LOW, MIDDLE, claimed_of
from gdp.restore.noise.evenness import TILE, by_tile, fine, fine_std
from operators.base import Operator
from operators.coded.compressed import Compressed
from operators.noise.bands import shares_taken
from operators.tools.ramp import ramp

FINEST = (0.9, 1.0)  # max(u, v) as a share of the highest frequency
CLIPPED = 0.985  # of [0, 1]: from which all channels are white, or that far from black
SOME, ANY = 0.25, 0.1  # share of a tile that may be clipped; of the tiles that have to be left
LEAST = 1e-2  # of m


# w_0 and w, of photos that are no JPEGs and of those that are; p of none and of all.
PLAIN = (1.01, {"plain": -1.23, "busy": -1.22, "most": 1.0, "low": 3.0, "finest": 1.51})
OF_JPEGS = (0.94, {"fair": -0.4, "most": -2.47, "middle": -1.07})
BELIEVED, BELIEVED_OF_JPEGS = (0.1, 0.5), (0.0, 1.0)


class Marks(NamedTuple):
    """The m above."""

    plain: float
    fair: float
    busy: float
    most: float
    low: float
    middle: float
    finest: float


def stands_out(y: Tensor, x: Tensor, noise: NoiseModel, A: Operator) -> float:
    """The share above, 0 to 1: how far what was taken away stands out from the photo's detail.

    Args:
        y, x: the photo and the result, [1, 3, H, W] in [-1, 1].
        noise: what was claimed, in [0, 1] units.
        A: the operator, with its file's codec if it has one.
    """
    coded = isinstance(A, Compressed)
    first, weights = OF_JPEGS if coded else PLAIN
    found = marks(y, x, noise, claimed_of(noise, A, y))._asdict()
    told = first + sum(w * math.log(max(found[m], LEAST)) for m, w in weights.items())
    return ramp(1 / (1 + math.exp(-told)), *(BELIEVED_OF_JPEGS if coded else BELIEVED))


def marks(y: Tensor, x: Tensor, noise: NoiseModel, claimed: Tensor) -> Marks:
    """What there is to be seen of noise and detail.

    Args:
        y, x: the photo and the result, [1, 3, H, W] in [-1, 1].
        noise: what was claimed, in [0, 1] units.
        claimed: its std by frequency, with a codec's errors, [3, H, W] in [-1, 1] units.
    """
    to_colours = noise.colours.to(y)
    change, result = (torch.einsum("kc,chw->khw", to_colours, p[0]) for p in (y - x, x))
    gain = noise.gain((x + 1) / 2)
    unit = by_tile(torch.ones_like(result[0]) if gain is None else gain[0, 0].clamp_min(1e-3))
    unit = unit * fine_std(claimed[0])

    # By tile, but for those in which clipping took the noise away.
    kept = unclipped(y)
    before, after, taken = (
        (by_tile(fine(p)) / unit)[kept] for p in (result[0] + change[0], result[0], change[0])
    )
    plain, fair = after.quantile(torch.tensor([0.02, 0.25]).to(after)).tolist()
    busy, most = float(before.quantile(0.9)), float(taken.median())

    # By frequency.
    grey, *others = (
        shares_taken(part, std, (LOW, MIDDLE, FINEST))
        for part, std in zip(change, claimed, strict=True)
    )
    low, middle, _ = torch.tensor(others).square().mean(0).sqrt().tolist()
    return Marks(plain, fair, busy, most, low, middle, grey[2])


def unclipped(y: Tensor) -> Tensor:
    """The tiles [N] of y [1, 3, H, W] that are neither white nor black; all, if hardly any is."""
    white, black = y[0].amin(0) > 2 * CLIPPED - 1, y[0].amax(0) < 1 - 2 * CLIPPED
    clipped = F.avg_pool2d((white | black).to(y)[None, None], TILE).flatten()
    kept = clipped < SOME
    return kept if kept.float().mean() >= ANY else torch.ones_like(kept)
