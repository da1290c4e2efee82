"""What y alone shows where the light is known: x = phi^-1((y - M - b) / f), and its noise.

Light that was too weak made the noise of x stronger than y's, by 1 / (f phi'(x)), and in some
places more than in others. So noise is found in what y alone shows, and there it is whitened: for
linear samplers the measurement is W and W x.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import LinearOperator, Operator
from operators.identity import Identity
from operators.light.brightness import KEPT
from operators.light.exposure import merge, trust
from operators.light.light_model import LightModel
from operators.light.tone import encode
from operators.tools.units import to_model, to_pixels

# Noise that is strong, as a share of f, and pixels a side over which it is averaged.
STRONG, AROUND = 0.03, 5


class DevelopedLight(LightModel):
    """A light whose y is looked at as the picture that it shows by itself.

    Attributes:
        first: f as it was bound.
        photo: y01 [B, 3K, H, W], once bound.
        plain: the identity with the noise of what y alone shows, if that is known.
        spares: whether noise that is not stronger in x than in y is left in x.
    """

    first: Tensor
    photo: Tensor | None
    plain: Operator | None
    spares: bool = False

    def develop(self, p: Tensor) -> Tensor:
        """x01 as y01 = p alone has it, at most 1: phi^-1((p - M - b) / f)."""
        u = merge(p - self.stray_of(p), self.f, trust(p))
        v = (u / (1 + u.clamp_min(0) * (1 - 1 / self.white))).clamp(max=1)
        return encode(v, self.gamma) if self.gamma != 1 else v

    def developed(self, y: Tensor) -> Tensor:
        """What y alone shows [B, 3, H, W] in [0, 1], by the light that it is bound to."""
        A = self if self.photo is not None else self.bind(y)
        assert isinstance(A, DevelopedLight)
        return A.develop(to_pixels(y))

    def calm(self, y: Tensor) -> Tensor:
        """What y alone shows, averaged where noise is strong, for cutting it would brighten it."""
        shown = self.developed(y)
        if self.sigma_y / 2 > STRONG * float(self.f.min()):
            shown = F.avg_pool2d(shown, AROUND, 1, AROUND // 2, count_include_pad=False)
        return shown.clamp(0, 1)

    def brought_out(self) -> Tensor:
        """The share of x's noise that the light has hidden in y, [B, 3, H, W].

        1 - f phi'(x): where x is twice as bright as y, half of its noise. Where y says nothing it
        is 1, and all over where noise is to be taken away in any case.
        """
        slope = self.slope().unflatten(1, (self.exposures, 3)).amax(1)
        if not self.spares:
            return torch.ones_like(slope)
        told = self.informative().unflatten(1, (self.exposures, 3)).any(1)
        return torch.where(told, (1 - slope).clamp_min(0), 1.0)

    def amplification(self) -> float:
        """How many times stronger y's noise is in what y alone shows: the rms of 1 / (f phi')."""
        slope = self.slope()[self.informative().expand(-1, self.exposures * 3, -1, -1)]
        return float(slope.clamp_min(1e-6).pow(-2).mean().sqrt()) if len(slope) else 1.0

    def amplification_at(self, p: Tensor) -> Tensor:
        """The same where y alone shows brightnesses p [N] in [0, 1], of one exposure: [N]."""
        points = p.view(1, 1, 1, -1).expand(1, 3, 1, -1)
        return 1 / self.slope_at(points)[0, :, 0].mean(0).clamp_min(1e-6)

    def relit(self, x: Tensor, r: Tensor) -> Tensor:
        """x01 [B, 3, H, W] in r [B] times the light: r x / (1 + (r - 1) b x), at most 1."""
        r = r.view(-1, 1, 1, 1)
        return (r * x / (1 + (r - 1) * kept(r) * x)).clamp(max=1)

    def relight(self, r: Tensor) -> None:
        """Take x for r [B] times as bright: f becomes f / r, and w such that `relit` holds."""
        r = r.view(-1, 1, 1, 1)
        bend = (1 - 1 / self.white + (r - 1) * kept(r)) / r
        self.set_light(self.f.data / r, self.M.data, 1 / (1 - bend), self.black)
        self.first = self.f.data.clone()
        if self.photo is not None:
            shown = self.develop(self.photo)
            self.point = shown.clamp(0, 1)
            self.find_noise(shown)

    def whitened(self, y: Tensor) -> tuple[Operator, Tensor]:
        """Itself and y: `linear` whitens, by the light that is known then."""
        return self, y

    def linear(self) -> LinearOperator:
        """The tangent; with a noise of its own, of what y alone shows."""
        seen = self.seen()
        return super().linear() if seen is None else cast(LinearOperator, seen[0])

    def offset(self, y: Tensor) -> Tensor:
        seen = self.seen()
        return super().offset(y) if seen is None else y - seen[1]

    def seen(self) -> tuple[Operator, Tensor] | None:
        """What y alone shows as the measurement: W and W x, if its noise is known.

        What is burnt out in too much light is not shown: there the tangent leaves x open.
        """
        if self.plain is None or self.photo is None:
            return None
        if ((self.white < 1) & ~self.informative()).any():
            return None
        shown = to_model(self.develop(self.photo))
        return self.plain, self.plain(shown)

    def find_noise(self, shown: Tensor) -> None:
        """Have the noise of what y alone shows, x01 [B, 3, H, W], if that is known."""
        if self.whitening is not None:
            self.plain = self.whitening(Identity(), to_model(shown))[0]


def kept(r: Tensor) -> Tensor:
    """b: 1 where it darkens, so that white stays white (operators/light/brightness.py)."""
    return torch.where(r > 1, KEPT, 1.0)
