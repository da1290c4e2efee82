"""Haze, found from the photo: y = t x + (1 - t) a, t and a by the dark channel prior (He, Sun and Tang, CVPR 2009).

    dark(y)  = min over channels and a patch                   nearly 0 in photos without haze, 1 - t times a with it
    a        = mean of y where dark(y) is among its brightest 0.1 %
    t        = 1 - OMEGA sure dark(y / a), smoothed along y's edges by the guided filter (He et al., 2013)

sure, from 0 to 1, is whether there is haze at all: even the nearest things have it then. In clear photos a tenth of the dark channel is
below 0.12, with haze hardly any is below 0.2. So a clear photo is left alone.
"""

import torch.nn.functional as F
from torch import Tensor

from operators.base import AffineOperator, Operator
from operators.light.haze import Haze
from operators.scale import same_at_scale
from operators.tools.units import to_pixels

OMEGA, LEAST = 0.95, 0.15
CLEAR, HAZY = 0.08, 0.2  # the 10 % quantile of the dark channel
PATCH, LONGEST = 1 / 40, 600  # of the shorter side; pixels of the picture that all this is done on


class Dehaze(AffineOperator):
    """y01 = t x01 + (1 - t) a with t and a found by `bind`, which gives a Haze: [B, 3, H, W] -> the same. Unbound it changes nothing."""

    pictured = ("transmission",)

    def forward(self, x: Tensor) -> Tensor:
        return x

    def bind(self, y: Tensor, init: Operator | None = None) -> Haze:
        """The haze that y seems to have, that of its first image; found anew at every scale, since t follows y's edges."""
        A = FoundHaze(*haze_of(to_pixels(y[:1]).clamp(0, 1)))
        A.sigma_y = self.sigma_y
        return A

    def at_scale(self, r: int, y: Tensor) -> tuple["Dehaze", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


class FoundHaze(Haze):
    """A Haze of a transmission map t [1, 1, h, w] and an airlight a [3]."""

    def __init__(self, t: Tensor, a: Tensor):
        super().__init__(0.5, a.tolist())
        self.transmission = t

    pictured = ("transmission",)

    def describe(self, y: Tensor) -> dict[str, object]:
        """a, and the range of t."""
        return {
            "airlight": self.airlight.flatten().tolist(),
            "transmission": [float(self.transmission.min()), float(self.transmission.max())],
        }

    def remark(self, y: Tensor) -> str:
        return (
            "no haze was found, so little changes" if float(self.transmission.min()) > 0.9 else ""
        )

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """t."""
        return {"transmission": self.transmission}


def haze_of(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """t [1, 1, H, W] and a [3] of a photo [1, 3, H, W] in [0, 1]."""
    from kornia.filters import guided_blur

    size = pixels.shape[-2:]
    k = min(1.0, LONGEST / max(size))
    p = (
        F.interpolate(pixels, [max(1, round(n * k)) for n in size], mode="area")
        if k < 1
        else pixels
    )
    patch = max(3, round(PATCH * min(p.shape[-2:])) * 2 + 1)
    a = airlight(p, patch)
    veil = dark(p / a.view(1, 3, 1, 1).clamp_min(0.05), patch)
    sure = ((veil.quantile(0.1) - CLEAR) / (HAZY - CLEAR)).clamp(0, 1)
    t = 1 - OMEGA * sure * veil
    wide = 2 * patch + 1
    if min(p.shape[-2:]) > wide:
        t = guided_blur(p.mean(1, keepdim=True), t, wide, 1e-3)
    t = t.clamp(LEAST, 1)
    return (F.interpolate(t, size, mode="bilinear", align_corners=False) if k < 1 else t), a


def dark(p: Tensor, patch: int) -> Tensor:
    """The dark channel [1, 1, H, W]."""
    return -F.max_pool2d(
        F.pad(-p.amin(1, keepdim=True), [patch // 2] * 4, mode="replicate"), patch, 1
    )


def airlight(p: Tensor, patch: int) -> Tensor:
    """The colour [3] of the haziest places."""
    d = dark(p, patch).flatten()
    haziest = d.topk(max(1, len(d) // 1000)).indices
    return p[0].flatten(1)[:, haziest].mean(1).clamp(0, 1)
