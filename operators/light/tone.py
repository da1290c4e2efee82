"""What a camera does to brightness p in [0, 1], pixel by pixel.

clip      y = clip(gain p, 0, 1)             over-exposure, the degradation of HDR; of a clipped
                                             value y says no more than p >= 1 / gain
gamma     y = slope p up to the toe, else (1 + a) p^(1/gamma) - a
                                             sRGB's form (IEC 61966-2-1): a, slope make it smooth
sensor    y = (1 + n) p^m / (p^m + n), m = 0.9, n = 0.6
                                             mean of measured curves (HDR-CNN, Eilertsen et al.,
                                             2017)

Curves continue below 0 with a finite slope, so that gradients are finite for every x a sampler may
visit.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ROUNDED
from operators.light.pointwise import Pointwise
from operators.scale import same_at_scale
from operators.tools.units import to_model, to_pixels

# sRGB's toe: darker values of p are on the straight part of the curve.
TOE = 0.0031308

# Values of y from here are clipped, for a file's levels are 1/255 apart.
WHITE = 1 - 1 / 510

# The first guess of what was clipped.
BULGE = 0.4  # of the way from the clip to 1, deep inside
DEPTHS = (5, 11, 23)  # windows, in pixels, that tell how deep that is
ROUGH = 0.3  # its error, as a share of what lies above the clip ...
DIM = 2.0  # times y's noise is what a clipped value is darker than white at most
LEAST = 0.03  # ... and at least, [-1, 1] units


def check_positive(name: str, value: float) -> float:
    """The value of operator.`name` if it is a finite number above 0; ValueError otherwise."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value <= 0
    ):
        raise ValueError(f"operator.{name}={value!r}; it is a number above 0")
    return float(value)


def toe(gamma: float) -> tuple[float, float]:
    """(a, slope) for which the curve and its derivative are continuous at the toe."""
    m = TOE ** (1 / gamma) * (1 - 1 / gamma)
    return m / (1 - m), TOE ** (1 / gamma - 1) / (gamma * (1 - m))


def encode(p: Tensor, gamma: float) -> Tensor:
    """Light p to picture values, by the curve above."""
    a, slope = toe(gamma)
    return torch.where(p <= TOE, slope * p, (1 + a) * p.clamp(min=TOE) ** (1 / gamma) - a)


def decode(v: Tensor, gamma: float) -> Tensor:
    """Picture values to light: the inverse of encode."""
    a, slope = toe(gamma)
    return torch.where(
        v <= slope * TOE, v / slope, ((v.clamp(min=slope * TOE) + a) / (1 + a)) ** gamma
    )


class Clip(Pointwise):
    """y01 = clip(gain x01, 0, 1): what is brighter than white is lost, and so is its gradient.

    Args:
        gain: the exposure.
    """

    def __init__(self, gain: float = 2.0):
        super().__init__()
        self.gain = check_positive("gain", gain)

    @property
    def guess_error(self) -> float:  # type: ignore[override]
        """How wrong `guess` is: random pictures, not within [0, 1], cannot tell it."""
        return max(LEAST, ROUGH * 2 * (1 - 1 / self.gain), self.sigma_y)

    @property
    def white(self) -> float:
        """The value of y in [0, 1] from which it is likelier clipped than not."""
        return min(WHITE, 1 - DIM * self.sigma_y / 2)

    def forward(self, x: Tensor) -> Tensor:
        return to_model((self.gain * to_pixels(x)).clamp(0, 1))

    def inverse(self, v: Tensor) -> Tensor:
        return v / self.gain

    def guess(self, y: Tensor) -> Tensor:
        """Clipped values rise from the clip at their region's border to BULGE of the way to 1."""
        v, level = to_pixels(y), 1 / self.gain
        lost = (v >= self.white).to(v)

        # How deep inside a clipped region a value lies, at several scales.
        depth = torch.zeros_like(lost)
        for window in DEPTHS:
            mean = F.avg_pool2d(lost, window, 1, window // 2, count_include_pad=False)
            depth = depth + (2 * mean - 1).clamp_min(0) / len(DEPTHS)
        above = level + BULGE * max(0.0, 1 - level) * depth
        return to_model(torch.where(lost > 0, above, self.inverse(v)))

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The image nearest to x that A maps to y: a clipped value is 1 / gain at least."""
        if self.sigma_y > ROUNDED:
            return x
        p, v = to_pixels(x), to_pixels(y)
        return to_model(torch.where(v >= WHITE, p.clamp_min(1 / self.gain), self.inverse(v)))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin ||A(x) - y||^2 + rho ||x - v||^2: the better of "clipped" and "not clipped".

        Where y has noise that is the likelier of the two: a clipped value may be anything above
        1 / gain, one that is not is known, so that a little noise must not make it such a one.
        """
        p, q = to_pixels(v), to_pixels(y)
        seen = ((rho * p + self.gain * q) / (rho + self.gain**2)).clamp(max=1 / self.gain)
        lost = p.clamp_min(1 / self.gain)
        if self.sigma_y > ROUNDED:
            return to_model(torch.where(q >= self.white, lost, seen))

        def cost(x: Tensor) -> Tensor:
            return ((self.gain * x).clamp(max=1) - q).square() + rho * (x - p).square()

        return to_model(torch.where(cost(lost) < cost(seen), lost, seen))

    def at_scale(self, r: int, y: Tensor) -> tuple["Clip", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


class Gamma(Pointwise):
    """y01 = (1 + a) x01^(1 / gamma) - a, straight near black: a wrong tone curve.

    Args:
        gamma: above 1 it brightens shadows, below 1 it darkens them.
    """

    def __init__(self, gamma: float = 2.2):
        super().__init__()
        self.gamma = check_positive("gamma", gamma)

    def forward(self, x: Tensor) -> Tensor:
        return to_model(encode(to_pixels(x), self.gamma))

    def inverse(self, v: Tensor) -> Tensor:
        return decode(v, self.gamma)

    def at_scale(self, r: int, y: Tensor) -> tuple["Gamma", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


class SensorResponse(Pointwise):
    """y01 = (1 + n) x01^m / (x01^m + n): a camera's response.

    It is odd about black, and straight within 1e-3 of it.

    Args:
        m: the exponent.
        n: the shoulder.
    """

    def __init__(self, m: float = 0.9, n: float = 0.6):
        super().__init__()
        self.m, self.n = check_positive("m", m), check_positive("n", n)

    def forward(self, x: Tensor) -> Tensor:
        p = to_pixels(x)
        power = p * (p.square() + 1e-6) ** ((self.m - 1) / 2)
        return to_model((1 + self.n) * power / (power.abs() + self.n))

    def inverse(self, v: Tensor) -> Tensor:
        """x01, exact but for the straight part about black."""
        rest = (1 + self.n - v.abs()).clamp_min(1e-3)
        return v.sign() * (self.n * v.abs() / rest) ** (1 / self.m)

    def at_scale(self, r: int, y: Tensor) -> tuple["SensorResponse", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)
