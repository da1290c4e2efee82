"""Several exposures of one scene, and the light that they tell of.

y_k = G(2.2 log2 u + e_k)         G, e: the camera's response and stops, response.py
u   = f phi(x)                    the light as pictures encode it; phi(x) = x / (1 - x (1 - 1/w))

f and w are such that the median of max_c x is GOAL and the brightest hundredth is TOP: all of the
scene's light is in the picture. Samplers get the tangent at the last x0.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from operators.base import LinearOperator, Operator
from operators.light.brightness import QUANTILE
from operators.light.exposure import BURNT, block_means
from operators.light.light import Light
from operators.light.radiance.response import Response, find_response
from operators.tools.units import to_pixels

MOST = 7  # exposures of a scene

# What max_c x has at its median and at QUANTILE.
GOAL, TOP = 0.42, 0.97

# The exponent of pictures, and the least light, relative to white.
ENCODED, LEAST = 2.2, 1e-4


class Exposures(Light):
    """y = G(2.2 log2(f phi(x)) + e): [B, 3, H, W] -> [B, 3K, H, W] for K exposures.

    Unbound, and for a single exposure, it is Light without M.

    Args:
        factors: of each exposure of a simulated y, 1 to 7 of them.
        told: the exposures of y in stops, from anywhere, such as (2, 0, -2); None to find them.

    Raises:
        ValueError: what is told are no 2 to 7 numbers.
    """

    g: Tensor | None
    stops: Tensor | None

    def __init__(
        self,
        factors: Sequence[float] = (2.0, 0.7, 0.25),
        told: Sequence[float] | None = None,
    ):
        super().__init__(factors, mask=False, dark=False)
        self.told = None if told is None else told_stops(told)
        for name in Response._fields:
            self.register_buffer(name, None, persistent=False)

    @property
    def response(self) -> Response | None:
        """The camera's response and the stops; None before they are found."""
        return None if self.g is None or self.stops is None else Response(self.g, self.stops)

    def exposed(self, stops: Sequence[float]) -> "Exposures":
        """The same for photos whose files tell their exposures in stops; what is told stays."""
        same = self.with_noise(self.sigma_y)
        same.told = tuple(stops) if self.told is None else self.told
        return same

    def bind(self, y: Tensor, init: Operator | None = None) -> "Exposures":
        """A copy with response and stops, those of the first scene, and each scene's own f and w.

        Raises:
            ValueError: y is black or white all over, or has another number of exposures than told.
        """
        A = super().bind(y, init)
        assert isinstance(A, Exposures)
        if self.told is not None and len(self.told) != y.shape[1] // 3:
            raise ValueError(
                f"operator.told= has {len(self.told)} exposures, the scene {y.shape[1] // 3}; "
                "give one number for each, in the order of input="
            )
        K, p = y.shape[1] // 3, to_pixels(y)
        if K == 1:
            return A

        A.g, A.stops = find_response(p[:1], K, self.told)
        u = block_means(A.encoded(p)).amax(1).flatten(1)
        middle, top = (u.quantile(q, 1).clamp_min(LEAST) for q in (0.5, QUANTILE))

        # x = s u / (1 + kappa u) through both.
        kappa = ((GOAL / middle - TOP / top) / (TOP - GOAL)).clamp_min(0)
        s = torch.where(kappa > 0, GOAL * (1 / middle + kappa), TOP / top)
        f = (1 / s).view(-1, 1, 1, 1).expand(-1, 3 * K, 1, 1)
        A.set_light(f.clone(), A.M.data, (1 / (1 - kappa / s)).view(-1, 1, 1, 1))
        A.point = A.develop(p).clamp(0, 1)
        return A

    def encoded(self, p: Tensor) -> Tensor:
        """u [B, 3, H, W] by all exposures."""
        assert self.response is not None
        return (self.response.scene(p) / ENCODED).exp2()

    def develop(self, p: Tensor) -> Tensor:
        if self.response is None:
            return super().develop(p)
        u = self.encoded(p) / self.f[: len(p), :1]
        return (u / (1 + u * (1 - 1 / self.white[: len(p)]))).clamp(max=1)

    def expose(self, p: Tensor) -> Tensor:
        if self.response is None:
            return super().expose(p)
        u = (self.f[: len(p), :1] * self.curve(p)).clamp_min(LEAST)
        light = ENCODED * u.log2()
        return torch.cat([self.response.value(light + e) for e in self.response.stops], 1)

    def slope(self) -> Tensor:
        if self.response is None:
            return super().slope()
        with torch.enable_grad():
            parts = []
            for k in range(self.exposures):
                p = self.point.detach().clamp_min(0.01).requires_grad_()
                y = self.expose(p)[:, 3 * k : 3 * k + 3]
                parts.append(torch.autograd.grad(y.sum(), p)[0])
        return torch.cat(parts, 1)

    def informative(self) -> Tensor:
        """Where y tells something at the point: neither burnt out nor black in both."""
        if self.response is None or self.photo is None:
            return super().informative()
        black = self.photo < 1 - BURNT
        return super().informative() & ~(black & (self.expose(self.point) < 1 - BURNT))

    def linear(self) -> LinearOperator:
        return self.linear_part().with_noise(self.sigma_y)

    def fit(self, x0: Tensor, y: Tensor, sigma: float) -> None:
        """The tangent moves to x0; the light is known."""
        if self.response is None:
            super().fit(x0, y, sigma)
        else:
            self.point = to_pixels(x0)

    def radiance(self, x: Tensor) -> Tensor:
        """The light of the scene, linear."""
        if self.response is None:
            return super().radiance(x)
        return (self.f[: len(x), :1] * self.curve(to_pixels(x))).clamp_min(0) ** ENCODED

    def describe(self, y: Tensor) -> dict[str, Any]:
        """The exposures in stops and as factors, relative to the middle one."""
        if self.response is None:
            return super().describe(y)
        stops = self.response.stops.tolist()
        return {"stops": stops, "f": [2.0**e for e in stops], "white": float(self.white[0])}


def told_stops(told: Sequence[float]) -> tuple[float, ...]:
    """Exposures in stops, as numbers; ValueError where they are none."""
    try:
        stops = tuple(float(e) for e in told)
    except (TypeError, ValueError):
        stops = ()
    if not 2 <= len(stops) <= MOST or not all(map(math.isfinite, stops)):
        raise ValueError(
            f"operator.told={told!r}; it is 2 to {MOST} exposures in stops, as [2,0,-2]"
        )
    return stops
