"""Whether a photo as it is lacks light, and by how much it is surely to be brightened.

q, top = the median and the 99 % quantile of max_c over a small picture
S      = -2.3 - logit q - 3/4 logit top          above 0 it is darker than scenes can be expected
n      = (noise - 0.006) / 0.004                 within 0 and 1; 0 of noise that may be texture
d      = (shorter side - 128) / 128              likewise
e      = (log-odds of q over the 5 % quantile's - 0.3) / 0.15
share  = e max(n, d S / 0.3)                     likewise
move   = share min(2.5 + n / 2, logit 0.46 - logit q)   by what the median is to rise, log-odds

Dark scenes that are meant have mostly something bright in them, and what has nothing bright may be
the dark part of a scene, so that neither quantile tells alone. Of 1,835 photos that are meant to be
as they are .5 % have an S above 0. Of their parts more have, as a shadow fills them: .6 % at 256
pixels of the shorter side, 1.7 % at 192, 5 % at 128, so that a small photo is not judged by it.
Where the dark half is all one, as the sky between stars is, there is nothing that light would show:
of 354 photos taken four or five stops too dark 5 have so even a half.

At S = 0 nothing changes, for then one is as likely as the other; and 0.3 beyond all does, as far as
light can be lacking: five stops too little are 2.5 by a camera's curve without contrast and 3 with
it, and what is darker still is black. Noise that surely is some tells, too, of both: where much
light lacks it cannot hide. docs/tasks.md has figures of what that gains and costs.

More does not tell: photos of a lamp-lit room taken right and of a bright one taken three stops too
dark share their quantiles, their noise and how it falls with brightness. Of photos 2 to 4 stops too
dark, contrast within the dark half of a photo and within its bright half finds twice as many in
photos that were darkened by a curve, yet fewer of those that a camera had taken so.
"""

from dataclasses import replace

import torch
from torch import Tensor

from operators.light.brightness import SEEMS_DARK, Goal
from operators.light.exposure import block_means, bright_quantiles
from operators.tools.ramp import ramp

# Log-odds of brightness below which a photo is dark; what its brightest places count in it; and
# how near to 0 and 1 values are told apart.
DARK, BRIGHTEST, LEAST_ODDS = -2.3, 0.75, 0.002

# S from which all is believed; noise [0, 1] up to which it says nothing, and from which all; and
# the most that light can be lacking, in log-odds of the median, without such noise and with it.
BELIEVED, HIDDEN, MOST = 0.3, (0.006, 0.01), (2.5, 3.0)

# Pixels of the shorter side up to which S says nothing, and from which all.
SMALL = (128, 256)

# Log-odds from the darkest blocks, of that share, to the median: up to which a dark photo has
# nothing in its dark half, and from which it may have all.
DARKEST, EVEN = 0.05, (0.3, 0.45)

# The median up to which a photo may lack light whatever else is in it.
DIM_MEDIAN = 0.2


def lack(pixels: Tensor) -> float:
    """S of a photo [1, 3, H, W] in [0, 1]."""
    return lack_by(quantiles_of(pixels))


def quantiles_of(pixels: Tensor) -> Tensor:
    """q and top [2] of a photo [1, 3, H, W] in [0, 1]."""
    return bright_quantiles(block_means(pixels))[:, 0]


def lack_by(quantiles: Tensor) -> float:
    """S of a photo with these quantiles."""
    median, top = quantiles.clamp(LEAST_ODDS, 1 - LEAST_ODDS).logit().tolist()
    return DARK - median - BRIGHTEST * top


def unevenness(blocks: Tensor) -> float:
    """Log-odds between the darkest of blocks [1, 3, h, w] in [0, 1] and their median."""
    brightest = blocks.amax(1).flatten().clamp(LEAST_ODDS, 1 - LEAST_ODDS).logit()
    darkest, median = brightest.quantile(brightest.new_tensor((DARKEST, 0.5))).tolist()
    return float(median - darkest)


def may_lack(pixels: Tensor) -> bool:
    """Whether a photo [1, 3, H, W] in [0, 1] may be too dark: its scene may be dark, too."""
    return float(quantiles_of(pixels)[0]) < DIM_MEDIAN


def goal_of(pixels: Tensor, noise: float = 0.0) -> Goal | None:
    """What a photo that lacks light should be like; None for every other.

    Args:
        pixels: [1, 3, H, W] in [0, 1].
        noise: std of what surely is its noise, [0, 1] units.
    """
    blocks = block_means(pixels)
    quantiles = bright_quantiles(blocks)[:, 0]
    S, uneven = lack_by(quantiles), ramp(unevenness(blocks), *EVEN)
    if S <= 0 or uneven == 0:
        return None
    noisy = ramp(noise, *HIDDEN)
    seen = ramp(min(pixels.shape[-2:]), *SMALL) * ramp(S, 0, BELIEVED)
    share, most = uneven * max(seen, noisy), MOST[0] + noisy * (MOST[1] - MOST[0])
    if share == 0:
        return None

    # The median where it is to come to, and no white beyond what brings it there.
    median = quantiles[0].clamp_min(LEAST_ODDS).double().logit()
    lacks = torch.tensor(SEEMS_DARK.median).double().logit() - median
    target = float((median + share * lacks.clamp(0, most)).sigmoid())
    return replace(SEEMS_DARK, median=target, room=target)
