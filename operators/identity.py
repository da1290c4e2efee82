"""Denoising: A is the identity, and all there is to undo is the noise."""

from collections.abc import Callable

import torch
from torch import Tensor

from operators.base import ProjectionOperator
from operators.scale import same_at_scale
from operators.tools.ramp import ramp

# Std of noise, [-1, 1] units, up to which it is hardly seen on a screen, pixel by pixel, and from
# which it is: 1.3 and 1.8 levels of 255. It may be meant to be there, so that a SHARE of it goes:
# no more is lost than by doing nothing where it is, and less where it is not.
FAINT, SEEN, SHARE = 0.0105, 0.014, 0.35

# The least error of a compression, rms in [-1, 1], that is worth undoing; then noise goes with it.
COMPRESSED = 0.02


class Identity(ProjectionOperator):
    """y = x: shapes stay, and only the noise is to be undone."""

    s, onto = 1.0, True

    def forward(self, x: Tensor) -> Tensor:
        return x

    def adjoint(self, y: Tensor) -> Tensor:
        return y

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return f(torch.ones((), dtype=x.dtype, device=x.device)) * x

    def at_scale(self, r: int, y: Tensor) -> tuple["Identity", Tensor]:
        return same_at_scale(self, r, y)


class NoiseHere(Identity):
    """Where noise joins in a composition; alone it is the identity."""


def taken(level: float) -> float:
    """The share of noise of this std, [-1, 1] units, that is taken away where it may be meant."""
    return SHARE + (1 - SHARE) * ramp(level, FAINT, SEEN)
