"""Denoising: A is the identity, and all there is to undo is the noise."""

from collections.abc import Callable

import torch
from torch import Tensor

from operators.base import ProjectionOperator
from operators.scale import same_at_scale


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
