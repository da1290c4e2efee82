"""Light of unknown strength: y = f phi(x) + M, and its tangent.

y      = f phi(x) + M + b  in [0, 1], cut at white; each of several exposures has an f and an M
phi(x) = v / (1 - v (1 - 1/w)),  v = x, or decoded by gamma (operators/light/tone.py)
         w > 0: the brightest light in terms of f;  phi(1) = w, phi'(0) = 1 where v = x;
         below 1 where there was too much light, above where some lacked

L x    = f phi'(p) x       the tangent at a point p; 0 where y is burnt out and A(p) is, too:
                           there y only says "at least so bright"
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from operators.base import AffineOperator
from operators.light.exposure import BURNT
from operators.light.radiance.stacked import Stacked
from operators.light.tone import decode
from operators.tools.units import to_model, to_pixels


class Found(NamedTuple):
    """A light that was found, as LightModel has it."""

    f: Tensor
    M: Tensor
    white: Tensor
    black: Tensor
    starts: Tensor | None


class LightModel(AffineOperator):
    """y01 = min(f phi(x01) + M, 1), with an f and an M for each exposure.

    [B, 3, H, W] -> [B, 3K, H, W] for K exposures of a scene.

    Attributes:
        f: [B, 3K, 1, 1].
        M: [B, K or 3K, h, w], of all colours or of each, interpolated to the picture's size.
        white: w [B, 1, 1, 1].
        black: b [B or 1, 3K or 1, 1, 1].
        gamma: the exponent of phi.
        point: x01 of the tangent [B, 3, H, W].
        burnt: where y is burnt out [B, 3K, H, W].
        starts: f [B, S] with its std and how likely it is, by what y cannot tell: [3, B, S].
    """

    f: Tensor
    M: Tensor
    white: Tensor
    black: Tensor
    gamma: float
    point: Tensor
    burnt: Tensor
    starts: Tensor | None

    def set_light(self, f: Tensor, M: Tensor, white: Tensor, black: Tensor | None = None) -> None:
        """Replace f, M, w and b, which is 0 if it is None."""
        self.f, self.M = nn.Parameter(f, requires_grad=False), nn.Parameter(M, requires_grad=False)
        black = torch.zeros_like(white[:1]) if black is None else black
        self.register_buffer("white", white, persistent=False)
        self.register_buffer("black", black, persistent=False)

    @property
    def light(self) -> Found:
        """f, M, w, b and `starts`."""
        return Found(self.f.data, self.M.data, self.white, self.black, self.starts)

    def set_found(self, light: Found, p: Tensor) -> None:
        """Have a copy of a light that was found before, for each of the pictures p [B, ...]."""
        *parts, starts = light
        whole = [part.to(p).expand(len(p), -1, -1, -1) for part in parts if part is not None]
        self.set_light(*(part.clone() for part in whole))
        self.starts = None if starts is None else starts.to(p.device).expand(-1, len(p), -1)

    def set_tangent(self, point: Tensor, burnt: Tensor) -> None:
        """Replace the point of the tangent, and where y is burnt out."""
        self.register_buffer("point", point, persistent=False)
        self.register_buffer("burnt", burnt, persistent=False)

    @property
    def exposures(self) -> int:
        """K."""
        return self.f.shape[1] // 3

    def curve(self, p: Tensor) -> Tensor:
        """u = phi(p); straight on outside [0, 1]."""
        k = (1 - 1 / self.white)[: len(p)]
        v = decode(p, self.gamma) if self.gamma != 1 else p
        bend = 1 / (1 - k * v.clamp(0, 1))
        return bend * v.clamp(0, 1) + bend.square() * (v - v.clamp(0, 1))

    def map(self, like: Tensor) -> Tensor:
        """M at a picture's size, [B, 3K, H, W]."""
        M = resized(self.M[: len(like)], like.shape[-2:])
        return M.repeat_interleave(self.f.shape[1] // M.shape[1], 1)

    def expose(self, p: Tensor) -> Tensor:
        """f phi(p) + M + b, not cut at white."""
        u = self.curve(p)
        return self.f[: len(p)] * torch.cat([u] * self.exposures, 1) + self.stray_of(p)

    def stray_of(self, like: Tensor) -> Tensor:
        """M + b at a picture's size, [B, 3K, H, W]."""
        return self.map(like) + self.black[: len(like)]

    def forward(self, x: Tensor) -> Tensor:
        return to_model(self.expose(to_pixels(x)).clamp(max=1))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (len(y), 3, *y.shape[-2:])

    def informative(self) -> Tensor:
        """Where y tells something at the point: not where it is burnt out and A(point) is, too."""
        return ~self.burnt | (self.expose(self.point) < BURNT)

    def slope(self) -> Tensor:
        """dA/dx at the point, [B, 3K, H, W]."""
        return self.slope_at(self.point)

    def slope_at(self, x: Tensor) -> Tensor:
        """dA/dx at x01 [B, 3, H, W]: [B, 3K, H, W]."""
        with torch.enable_grad():
            p = torch.cat([x] * self.exposures, 1).detach().requires_grad_()
            return self.f[: len(x)] * torch.autograd.grad(self.curve(p).sum(), p)[0]

    def linear_part(self) -> Stacked:
        return Stacked(self.informative() * self.slope(), self.exposures)

    def offset(self, y: Tensor) -> Tensor:
        x = torch.cat([to_model(self.point)] * self.exposures, 1)
        tangent = to_model(self.expose(self.point)) - self.slope() * x
        return torch.where(self.informative(), tangent, y)

    def radiance(self, x: Tensor) -> Tensor:
        """The light of the scene, phi(x)^2.2, as pictures are encoded."""
        return self.curve(to_pixels(x)).clamp_min(0) ** (2.2 / self.gamma)


def resized(M: Tensor, size: Sequence[int]) -> Tensor:
    """Maps [B, C, h, w] at another size, bilinearly."""
    return F.interpolate(M, tuple(size), mode="bilinear", align_corners=False)
