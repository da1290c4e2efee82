"""Haze of a photo by the dark channel prior (He, Sun and Tang, CVPR 2009).

y        = t x + (1 - t) a
dark(y)  = min over channels and a patch        nearly 0 without haze, 1 - t times a with it
a        = mean of y where dark(y) is among its brightest 0.1 %
t        = 1 - omega sure dark(y / a)           smoothed along y's edges by the guided filter
                                                (He et al., 2013)

sure, from 0 to 1, is whether there is haze at all: even the nearest things have it then. In clear
photos a tenth of the dark channel is below 0.12, in grey scenes below 0.2, with haze it is mostly
above. So a clear photo is left alone, and a doubtful one changes little.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Veil(NamedTuple):
    """The haze of a photo.

    Attributes:
        t: transmission [1, 1, H, W].
        a: airlight [3].
        sure: 0..1, whether it is haze at all.
    """

    t: Tensor
    a: Tensor
    sure: float


@dataclass(frozen=True)
class DarkChannel:
    """Estimates haze.

    Attributes:
        omega: the share of the haze that is taken away, 0.95 in the paper.
        least: the least t.
        clear: the 10 % quantile of the dark channel below which there is no haze.
        hazy: the one above which there surely is.
        patch: half the patch's side, as a share of the picture's shorter one.
        longest: the side, in pixels, of the picture that all this is done on.
        smoothing: of the guided filter, in squared units of [0, 1].
    """

    omega: float = 0.95
    least: float = 0.15
    clear: float = 0.08
    hazy: float = 0.3
    patch: float = 1 / 40
    longest: int = 600
    smoothing: float = 1e-3

    def __call__(self, pixels: Tensor) -> Veil:
        """The haze of a photo [1, 3, H, W] in [0, 1]."""
        from kornia.filters import guided_blur

        # The veil of haze, if it is one.
        p, veil, a, patch = self.coarse(pixels)
        sure = ((veil.quantile(0.1) - self.clear) / (self.hazy - self.clear)).clamp(0, 1)
        t = 1 - self.omega * sure * veil

        # Patches are coarse: t follows the picture's edges.
        wide = 2 * patch + 1
        if min(p.shape[-2:]) > wide:
            t = guided_blur(p.mean(1, keepdim=True), t, wide, self.smoothing)
        t = t.clamp(self.least, 1)

        if p.shape != pixels.shape:
            t = F.interpolate(t, pixels.shape[-2:], mode="bilinear", align_corners=False)
        return Veil(t, a, float(sure))

    def coarse(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
        """A photo [1, 3, H, W] made small, and what haze does to it.

        Returns:
            The small picture [1, 3, h, w]; the dark channel of it over its airlight, [1, 1, h, w];
            the airlight [3]; and the side of the patch, in pixels of the small picture.
        """
        size = pixels.shape[-2:]
        k = min(1.0, self.longest / max(size))
        small = [max(1, round(n * k)) for n in size]
        p = F.interpolate(pixels, small, mode="area") if k < 1 else pixels

        patch = max(3, round(self.patch * min(p.shape[-2:])) * 2 + 1)
        a = airlight(p, patch)
        return p, dark_channel(p / a.view(1, 3, 1, 1).clamp_min(0.05), patch), a, patch


def dark_channel(p: Tensor, patch: int) -> Tensor:
    """The minimum [1, 1, H, W] of a picture [1, 3, H, W] over channels and patches."""
    darkness = F.pad(-p.amin(1, keepdim=True), [patch // 2] * 4, mode="replicate")
    return -F.max_pool2d(darkness, patch, 1)


def airlight(p: Tensor, patch: int) -> Tensor:
    """The colour [3] of the haziest places."""
    d = dark_channel(p, patch).flatten()
    haziest = d.topk(max(1, len(d) // 1000)).indices
    return p[0].flatten(1)[:, haziest].mean(1).clamp(0, 1)
