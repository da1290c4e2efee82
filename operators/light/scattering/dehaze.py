"""Haze, found from the photo, and what it took of contrast given back.

y    = t x + (1 - t) v          t by the dark channel prior (He, Sun and Tang, CVPR 2009):
                                operators/light/scattering/dark_channel.py
v    = lam a + (1 - lam) m      a: the dark channel's airlight, m: y's local mean
t    = min(1, t max(1, SKY / max_c |y - a|))        the sky is as bright as haze, and is kept

With v = a, as there, all that is far comes out dark where the day is dim, the sky above all, since
of real fog no single colour is right. With its local mean a place keeps its brightness, and
contrast comes back by 1 / t. lam is as near to 1 as leaves the median of max_c at GOAL where there
surely is haze, which brightens, and where it is if there may be none, or if that is less. It is
(sure / SURELY)^4 at most: one airlight darkens the ground, which on a grey day without haze is dark
as it is. SKY is the tolerance of Jiang et al. (2010).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import AffineOperator, Operator
from operators.contract import AddNoise
from operators.light.scattering.dark_channel import DarkChannel
from operators.light.scattering.haze import Haze
from operators.scale import same_at_scale
from operators.tools.units import to_pixels

# t at least, how near to a the sky is, and the median that dehazing may darken a photo to.
LEAST, SKY, GOAL = 0.3, 0.1, 0.42

# t above which nothing is hazy.
CLEAR = 0.9

# From how sure a haze there may be one airlight.
SURELY = 0.7

# The window of a local mean, as a share of the picture's shorter side; and of a colour, in pixels.
WINDOW, CALM = 1 / 7, 9


class Dehaze(AffineOperator):
    """y01 = t x01 + (1 - t) a with t and a found by `bind`, which gives a Haze.

    [B, 3, H, W] -> the same. Unbound it changes nothing.

    Args:
        transmission: with degrade=true, t: a number, or the file of a picture (white = 1, near).
        airlight: with degrade=true, the fog's colour in [0, 1].

    Attributes:
        estimator: finds t and a.
    """

    pictured = ("transmission",)
    estimator = DarkChannel()

    def __init__(
        self, transmission: float | str = 0.6, airlight: Sequence[float] = (0.9, 0.9, 0.9)
    ):
        super().__init__()
        self.simulated = Haze(transmission, airlight)

    def forward(self, x: Tensor) -> Tensor:
        return x

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        """The picture in haze; what haze it is, is not told."""
        return add_noise(self.simulated(x)), self

    def bind(self, y: Tensor, init: Operator | None = None) -> Haze:
        """The haze that y seems to have, that of its first image.

        It is found anew at every scale, since t follows y's edges.
        """
        p = to_pixels(y[:1]).clamp(0, 1)
        t, a, sure = self.estimator(p)
        return FoundHaze(*veil(p, t, a.view(1, 3, 1, 1), sure), a).with_noise(self.sigma_y)

    def at_scale(self, r: int, y: Tensor) -> tuple["Dehaze", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


def veil(p: Tensor, t: Tensor, a: Tensor, sure: float) -> tuple[Tensor, Tensor]:
    """t and airlight [1, 3, h, w] of y = t x + (1 - t) airlight, by the equations above.

    Args:
        p: the photo [1, 3, h, w] in [0, 1].
        t: transmission [1, 1, h, w] by the dark channel.
        a: its airlight [1, 3, 1, 1].
        sure: whether it is haze, 0..1.
    """
    # The sky keeps what it has.
    near = (local_mean(p, CALM) - a).abs().amax(1, keepdim=True).clamp_min(1e-3)
    t = (t * (SKY / near).clamp_min(1)).clamp(LEAST, 1)

    # As much of one airlight as brightness allows.
    window = round(WINDOW * min(p.shape[-2:]))
    mean = local_mean(local_mean(p, window), window)
    before, grey, dark = (
        float(z.amax(1).median()) for z in (p, (p - (1 - t) * mean) / t, (p - (1 - t) * a) / t)
    )
    goal = before + sure * (min(before, GOAL) - before)
    share = min((grey - goal) / max(grey - dark, 1e-3), (sure / SURELY) ** 4)
    return t, torch.lerp(mean, a.expand_as(mean), min(max(share, 0.0), 1.0))


def local_mean(p: Tensor, side: int) -> Tensor:
    """Means of p [1, C, h, w] over windows of about `side` pixels."""
    half = side // 2
    inside = torch.ones_like(p[:, :1])
    mean = F.avg_pool2d(p, 2 * half + 1, 1, half)
    return mean / F.avg_pool2d(inside, 2 * half + 1, 1, half)


class FoundHaze(Haze):
    """A Haze that goes into the report.

    Args:
        t: transmission [1, 1, h, w].
        light: the airlight of each place [1, 3, h, w].
        a: airlight [3].

    Where t is above CLEAR everywhere there is no haze, and it `leaves`: noise may be texture.
    """

    pictured = ("transmission",)

    def __init__(self, t: Tensor, light: Tensor, a: Tensor):
        super().__init__(0.5, a.tolist())
        self.transmission, self.airlight, self.colour = t, light, a
        self.leaves = float(t.min()) > CLEAR

    def describe(self, y: Tensor) -> dict[str, object]:
        """a, and the range of t."""
        return {
            "airlight": self.colour.tolist(),
            "transmission": [float(self.transmission.min()), float(self.transmission.max())],
        }

    def remark(self, y: Tensor) -> str:
        left = "no haze was found, so it is left as it is (task=enhance takes noise away)"
        return left if self.leaves else ""

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """t."""
        return {"transmission": self.transmission}
