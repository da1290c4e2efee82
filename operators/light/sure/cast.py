"""A colour cast that is surely one: a light of one colour that every measure of it agrees on.

e_k     = log chroma of the light by four measures: the brightest thirtieth of the blocks, the
          means of y^4 and y^8, the edges             white patch, shades of grey, grey edge
c, s    = their mean, and rms distance from it        in the plane of red-blue and green-magenta
now     = share of blocks that are grey as they are   weight exp(-|chroma|^2 / 2 NEAR^2)
then    = the same after c has been taken away
share   = rise(|c| / s) rise(then / now) rise(then) rise(least e_k along c) rise(colours)
          (1 - rise(|c|)) (1 - rise(c's green))

So there is hardly anything grey, and much of it under one light that bright places, dark ones and
edges share, in a scene of several colours; lights lie between red and blue, and a camera goes wrong
by little. Sunsets and lawns fail in at least one of these. Of photos that are meant to be as they
are few pass; so do few casts, for most can be told from a warm scene by nothing in the picture:
boosted trees on thirty such numbers are hardly surer. Most casts are left to white_balance.py.
Source of the four measures: van de Weijer, Gevers and Gijsenij, Edge-based color constancy, 2007.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.light.exposure import BURNT, block_means
from operators.light.sure.rises import rise
from operators.light.white_balance import log_power_mean

# Directions of log red, green and blue: red against blue, and green against both.
PLANE = ((2**-0.5, 0.0, -(2**-0.5)), (-(6**-0.5), (2 / 3) ** 0.5, -(6**-0.5)))

# Shares of the blocks that count as bright and as dark, and the values in which chroma is judged.
BRIGHT, DARK, LEAST = 1 / 30, 1 / 10, 0.06

# How near to grey is grey, in log chroma; and the fewest blocks that tell anything.
NEAR, FEWEST = 0.05, 30

# Where evidence counts half: agreement, growth and share of grey, the least measure, colours;
# chroma and its green from which it is no cast. Of 918 photos two are changed by more than 1 %.
AGREED, GROWN, MUCH, ALL, COLOURS, STRONG, GREEN = 2.5, 6.0, 0.3, 0.1, 0.12, 0.3, 0.05


class Cast(NamedTuple):
    """The cast of a photo.

    Attributes:
        gains: of red, green and blue, whose product is 1.
        share: how surely it is one, 0..1.
    """

    gains: Tensor
    share: float

    def sure_gains(self) -> Tensor:
        """The part of the gains that is sure."""
        return self.gains**self.share


def sure_cast(pixels: Tensor) -> Cast:
    """The cast of a photo [1, 3, H, W] in [0, 1], and how surely it has one."""
    s = block_means(pixels.float().clamp_min(0))
    colours, lightest = s[0].flatten(1), s[0].amax(0).flatten()
    plane = s.new_tensor(PLANE)
    chroma = (plane @ colours.clamp_min(1e-3).log())[:, (lightest < BURNT) & (lightest > LEAST)]
    if chroma.shape[1] < FEWEST:
        return Cast(s.new_ones(3), 0.0)

    # The light, by four measures; the mean and the darkest have to lie on the same side.
    measures = torch.stack([plane @ e for e in measured(s)])
    c = measures[:4].mean(0)
    size = float(c.norm())
    spread = float((measures[:4] - c).square().sum(1).mean().sqrt())
    least = float((measures @ F.normalize(c, dim=0)).min())

    # What is grey, now and then.
    now, then = (grey_share(chroma - light[:, None]) for light in (torch.zeros_like(c), c))
    red, green = chroma.std(1, correction=0).tolist()

    share = rise(size / (spread + 0.02), AGREED) * rise(then / (now + 0.02), GROWN)
    share *= rise(then, MUCH) * rise(least, ALL) * rise(min(red, 2 * green), COLOURS)
    share *= (1 - rise(size, STRONG)) * (1 - rise(abs(float(c[1])), GREEN))
    return Cast((c @ plane).exp(), share)


def measured(s: Tensor) -> list[Tensor]:
    """Log red, green and blue of the light of blocks [1, 3, h, w], by six measures."""
    # By brightness, of what is not burnt out.
    kept = s[0].flatten(1)[:, (s.amax(1) < BURNT).flatten()]
    order = kept.mean(0).argsort()
    bright, dark = (max(3, int(len(order) * part)) for part in (BRIGHT, DARK))
    ends = [kept[:, order[-bright:]], kept[:, order[:dark]]]
    top, bottom = (end.mean(1).clamp_min(1e-3).log() for end in ends)

    steps = [s.diff(dim=axis).abs().pow(4).sum((0, 2, 3)) for axis in (-1, -2)]
    edges = ((steps[0] + steps[1]) / (2 * s[0, 0].numel())).clamp_min(1e-12).log() / 4
    strong, shades, mean = (log_power_mean(s, p) for p in (8, 4, 1))
    return [top, strong, shades, edges, mean, bottom]


def grey_share(chroma: Tensor) -> float:
    """The share of blocks whose log chroma [2, n] is next to nothing."""
    return float(torch.exp(-chroma.square().sum(0) / (2 * NEAR**2)).mean())
