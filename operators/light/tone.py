"""What a camera does to brightness p in [0, 1], pixel by pixel.

clip      y = clip(gain p, 0, 1)             over-exposure, the degradation of HDR
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
from torch import Tensor

from operators.base import Operator
from operators.scale import same_at_scale
from operators.tools.units import to_model, to_pixels

# sRGB's toe: darker values of p are on the straight part of the curve.
TOE = 0.0031308


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


class Clip(Operator):
    """y01 = clip(gain x01, 0, 1): what is brighter than white is lost, and so is its gradient.

    Args:
        gain: the exposure.
    """

    def __init__(self, gain: float = 2.0):
        super().__init__()
        self.gain = check_positive("gain", gain)

    def forward(self, x: Tensor) -> Tensor:
        return to_model((self.gain * to_pixels(x)).clamp(0, 1))

    def at_scale(self, r: int, y: Tensor) -> tuple["Clip", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


class Gamma(Operator):
    """y01 = (1 + a) x01^(1 / gamma) - a, straight near black: a wrong tone curve.

    Args:
        gamma: above 1 it brightens shadows, below 1 it darkens them.
    """

    def __init__(self, gamma: float = 2.2):
        super().__init__()
        self.gamma = check_positive("gamma", gamma)

    def forward(self, x: Tensor) -> Tensor:
        return to_model(encode(to_pixels(x), self.gamma))

    def at_scale(self, r: int, y: Tensor) -> tuple["Gamma", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


class SensorResponse(Operator):
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

    def at_scale(self, r: int, y: Tensor) -> tuple["SensorResponse", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)
