"""How bright a photo should be, by two quantiles of max_c that photos share.

top, m = the 99 % quantile and the median of max_c y
h      = log max(1, WHITE / top)
g      = HEADROOM h c(h)                        what the light lacks to reach white
k      = exp(g (1 - exp(-log max(1, ROOM / m) / g)))   less of it where the median is high already
a      = CURVE share                            what a flat picture's curve left out
d      = logit(goal) - logit(k m) - a           what the median lacks then, in log-odds
e      = logit(bright) - logit(k m) - a         by how much it is above what is bright: below 0
c(d)   = d^4 / (d^4 + doubt^4)                  how much of each is believed: of little, nothing
s      = a + far tanh(c(d) d / far)             d > 0: to brighten
           - dim tanh(-q c(e) e / dim)          e < 0: to darken; q: whether something is burnt out
           scenes differ: a median far out is the scene's, too
r      : k m comes to logit^-1(logit(k m) + s) by y -> r k y / (1 + (r - 1) b k y)
         b = 0.85 to brighten: the brightest places burn out, as in a longer exposure, but less;
         b = 1 to darken, and where y is flat: white stays white

A Moebius map with b = 1 moves log-odds by log r: what a camera's curve makes of r times the light,
nearly. Of brackets of three scenes it brings those taken too bright to within 29 dB of the right
one, where the best power has 24.

The median bears a lamp, a window or a screen in the scene, by which nothing lacks to white. Where
there is no such light, white tells more: photos differ less in their brightest places than in their
medians, whose logits have a mean of 0 and a std of 0.75 in 1,835 photos. Yet a scene, or a part of
one, may have nothing bright: as the median comes near ROOM that is as likely, and little is done.

What is burnt out tells more of too much light than a bright median does: of 800 photos, as they are
and exposed up to two stops wrong by a camera's curve, those of which more than 2 % is burnt out
lack -0.5 - 0.6 logit(m) at the median m, so `bright` is below `goal`. Of those that are burnt out
nowhere few had too much light, and neither their medians nor what is dark in them, their colours
or contrasts tell which: they are not darkened.

A flat picture (operators/light/black_level.py: share) has neither white nor black. What it lacks is
less light than a curve, whatever its median, so HEADROOM falls to HEADROOM_FLAT there.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from operators.tools.ramp import ramp

# What max_c reaches in a well exposed photo, and at which quantile (median of 1,835 photos).
WHITE, QUANTILE = 0.95, 0.99

# Log of the light by which photos differ: in what is brightest, and in their medians.
WHITES_DIFFER, MEDIANS_DIFFER = 0.12, 0.45

# b of photos that are brightened: 1 keeps white white, 0 is a plain gain.
KEPT = 0.85

# What a flat picture lacks whatever its median, in log-odds; and its exponent of k.
CURVE, HEADROOM_FLAT = 0.7, 0.5

# The share of burnt out pixels from which a photo is too bright.
SURELY_BURNT = 0.04


class Change(NamedTuple):
    """What makes a photo well exposed.

    Attributes:
        gain: k.
        lift: r; below 1 it darkens.
        doubt: std of log(k r).
        kept: b.
    """

    gain: float
    lift: float
    doubt: float
    kept: float

    @property
    def factor(self) -> float:
        """f = 1 / (k r), by which the light was too weak."""
        return 1 / (self.gain * self.lift)

    @property
    def white(self) -> float:
        """w of phi(x) = x / (1 - x (1 - 1/w)): f phi is the map's inverse."""
        return self.lift / (self.lift - (self.lift - 1) * self.kept)


@dataclass(frozen=True)
class Goal:
    """What a photo should be like.

    Attributes:
        median: of max_c.
        headroom: the exponent of k where a picture is not flat.
        lamp: values of `top` from which the scene may hold a lamp, and surely does.
        doubt: about the median without a lamp, and with one, in log-odds.
        hardly: the same about white, in log of the light.
        room: what the median may be, from which nothing lacks to white; None is any.
        far: the most that the median is brightened, in log-odds; None is any way.
        bright: of max_c, the median from which a photo may be too bright; None: it is not.
        dim: the most that the median is darkened, in log-odds.
    """

    median: float
    headroom: float
    lamp: tuple[float, float]
    doubt: tuple[float, float]
    hardly: float
    room: float | None
    far: float | None
    bright: float | None
    dim: float

    def change(self, median: float, top: float, burnt: float, flat: float = 0.0) -> Change:
        """The change for a photo.

        Args:
            median, top: quantiles of max_c, [0, 1] units.
            burnt: share of its pixels that are burnt out.
            flat: how flat it was, before what black had in it was taken away.
        """
        short = math.log(max(1.0, WHITE / max(top, 1e-4)))
        headroom = self.headroom + flat * (HEADROOM_FLAT - self.headroom)
        lacks = headroom * short * believed(short, self.hardly)
        gain = math.exp(self.within_room(lacks, median))
        m = min(max(gain * median, 1e-3), 0.99)

        # The median's word beyond a flat picture's curve, and how much of it is believed.
        curve = flat * CURVE
        lamp = ramp(top, *self.lamp)
        doubt = self.doubt[0] + lamp * (self.doubt[1] - self.doubt[0])
        lacks = max(0.0, logit(self.median) - logit(m) - curve)
        share = believed(lacks, doubt)
        move = share * lacks
        if self.far is not None:
            move = self.far * math.tanh(move / self.far)

        # Or too much of it, where something is burnt out.
        if self.bright is not None:
            over = min(1.0, burnt / SURELY_BURNT) * max(0.0, logit(m) + curve - logit(self.bright))
            surely = believed(over, doubt)
            move -= self.dim * math.tanh(surely * over / self.dim)
            share = max(share, surely)
        move += curve
        target = 1 / (1 + math.exp(-logit(m) - move))

        b = KEPT + flat * (1 - KEPT) if move > 0 else 1.0
        lift = target * (1 - b * m) / (m * (1 - b * target))
        differ = WHITES_DIFFER + share * (MEDIANS_DIFFER - WHITES_DIFFER)
        return Change(gain, lift, differ, b)

    def within_room(self, lacks: float, median: float) -> float:
        """What lacks to white, log of the light, as far as the median has room for it."""
        if self.room is None or lacks <= 0:
            return lacks
        room = math.log(max(1.0, self.room / max(median, 1e-3)))
        return lacks * (1 - math.exp(-room / lacks))


def logit(p: float) -> float:
    """log(p / (1 - p))."""
    return math.log(p / (1 - p))


def believed(lacks: float, doubt: float) -> float:
    """c: the share of what a photo lacks that is no accident of its scene."""
    return 1.0 if doubt == 0 else lacks**4 / (lacks**4 + doubt**4)


# A photo that is told to be too dark, one that only seems so, and one that may be too dark or too
# bright. What only seems so may be the dark part of a scene, with nothing bright in it.
DARK = Goal(0.52, 1.0, (0.3, 0.5), (1.0, 0.4), 0.0, None, None, None, 1.1)
SEEMS_DARK = Goal(0.46, 0.85, (0.3, 0.5), (1.0, 0.4), 0.0, 0.6, None, None, 1.1)
ANY = Goal(0.47, 0.85, (0.5, 0.8), (2.0, 0.3), 0.2, 0.8, 1.6, 0.4, 1.1)
