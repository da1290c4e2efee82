"""A wrong white balance, found from the photo: y = g x, g by what photos share.

e     = (mean y^8)^(1/8) by channel     shades of grey (Finlayson and Trezzi, 2004), with p = 8,
                                       which is 4 of the light: between the mean and the brightest,
                                       which a lamp or the sky is; what is burnt out does not count
g     = e^c / (e_r e_g e_b)^(c/3)      so that the brightness stays: their geometric mean is 1
c     = angle^2 / (angle^2 + DOUBT^2)  by the angle of e from grey, and 0 where max e / min e is
                                       more than any light's (A_LIGHT): a photo of one colour

So all of a strong cast is taken away, little of one within the estimate's error, and a flower that
fills the photo stays yellow.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import AffineOperator, Operator
from operators.contract import AddNoise
from operators.light.exposure import BURNT, block_means
from operators.light.gains import Gains
from operators.scale import same_at_scale
from operators.tools.ramp import ramp
from operators.tools.units import to_pixels

# The power of the mean, and what of an angle is no cast, in degrees.
POWER, DOUBT = 8, 0.5

# The ratio of two channels up to which a light may have it, and from which none does: lamps in
# photos balanced for the day have up to 2, and the photo some of its own.
A_LIGHT = (2.6, 3.4)


def colour_cast(pixels: Tensor) -> Tensor:
    """g [3] of photos [B, 3, H, W] in [0, 1], taken together."""
    log = log_power_mean(block_means(pixels.clamp_min(0)), POWER)

    # The light's colour, and its angle from grey.
    cosine = F.cosine_similarity(log.exp(), torch.ones_like(log), dim=0).clamp(max=1)
    angle = torch.rad2deg(torch.acos(cosine))
    confidence = angle**2 / (angle**2 + DOUBT**2)
    confidence = confidence * (1 - ramp(float((log.max() - log.min()).exp()), *A_LIGHT))
    return (confidence * (log - log.mean())).exp()


def log_power_mean(s: Tensor, p: int) -> Tensor:
    """log (mean s^p)^(1/p) [3] of blocks [B, 3, h, w], of what is not burnt out."""
    seen = (s.amax(1, keepdim=True) < BURNT).to(s)
    mean = (s**p * seen).sum((0, 2, 3)) / seen.sum().clamp_min(1)
    return mean.clamp_min(1e-12).log() / p


class WhiteBalance(AffineOperator):
    """y01 = g x01 with g found by `bind`, which gives a Gains: [B, 3, H, W] -> the same.

    Unbound it changes nothing.

    Args:
        gains: with degrade=true, g of red, green and blue, in [0, 1] units; above 0.
    """

    def __init__(self, gains: Sequence[float] = (1.2, 1.0, 0.7)):
        super().__init__()
        self.simulated = Gains(gains)

    def forward(self, x: Tensor) -> Tensor:
        return x

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        """The picture with a cast; what cast it is, is not told."""
        return add_noise(self.simulated(x)), self

    def bind(self, y: Tensor, init: Operator | None = None) -> Gains:
        """The gains that y seems to have been taken with, or `init` if it is a Gains."""
        A = init if isinstance(init, Gains) else FoundGains(colour_cast(to_pixels(y)).tolist())
        return A.with_noise(self.sigma_y)

    def at_scale(self, r: int, y: Tensor) -> tuple["WhiteBalance", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


class FoundGains(Gains):
    """Gains that go into the report."""

    def describe(self, y: Tensor) -> dict[str, list[float]]:
        """The gains of red, green and blue."""
        return {"gains": self.gains.flatten().tolist()}

    def remark(self, y: Tensor) -> str:
        """That there is no cast, if the gains differ by less than 3 %."""
        spread = float(self.gains.max() / self.gains.min())
        return "no colour cast to speak of was found, so little changes" if spread < 1.03 else ""
