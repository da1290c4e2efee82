"""Our own: what y tells is anchored, and what it does not tell is drawn afresh at every step. DDNM+ with three changes.

    times     from what A^+ y leaves open to what y's noise leaves open (samplers/late.py), even in sqrt(t)
    d = 0     eta = 1: x_s's noise is all new there, so that no error of the network's eps is handed on
    d > 0     eta(d)^2 = 1 - (anchor d / d_max)^2 once y tells less than x_s: the surer y, the more its own noise stays, and counts as x_s's

Without singular values, or with a sigma_y of 0, x0_hat is DDNM's.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gdp.schedule import Schedule
from samplers.ddnm import DDNM


@dataclass(kw_only=True)
class Anchored(DDNM):
    """`eta` is the share of fresh noise in what A does not see; less of it gives more texture and less PSNR. `anchor` as above."""

    eta: float = 1.0
    anchor: float = 0.87
    schedule: Schedule = field(default_factory=lambda: Schedule(20, start="auto", spacing="squared", end="auto"))

    def fresh(self, d: Tensor) -> Tensor:
        return torch.where(d > 0, (1 - (self.anchor * d / d.max().clamp_min(1e-12)) ** 2).clamp_min(0).sqrt(), self.eta)
