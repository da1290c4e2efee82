"""Noise of few directions in colour, made white by what is put into the others, for a while.

    y' = y + A A^+ Q^T sqrt(s_1^2 - s^2) z     z: white;  Q: three directions in RGB, a row each
                                               s: y's std in each, s_1 the largest
    x  = x' + Q^T w Q A^+ (y - A x')           w = p / (p + 1 / (ERROR_SHARE s_1)^2)
                                               p = 1 / s^2 - 1 / s_1^2

White noise of std s_1 tells as much of the first direction as y does, and a sampler that counts
noise as white takes it for no less than it is. What y knows better of the others, p, is put back
into its result x': where s is 0, all of it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from operators.base import LinearOperator, Operator, ProjectionOperator

ERROR_SHARE = 0.35  # of the noise, by which a result is wrong; as in samplers/mixing.py
LEAST = 1e-6  # std that counts as none


class Tint(NamedTuple):
    """What is put into a photo's y.

    Attributes:
        y: as the photo has it, [B, 3, H, W] in [-1, 1].
        colours: Q [3, 3].
        std: s [3], in y's units.
    """

    y: Tensor
    colours: Tensor
    std: Tensor

    @property
    def most(self) -> float:
        """s_1: the std of the noise in y'."""
        return float(self.std.max())

    @property
    def rms(self) -> float:
        """The rms of y's own noise over its channels."""
        return float(self.std.square().mean().sqrt())

    def on(self, A: LinearOperator, z: Tensor) -> Tensor:
        """y'.

        Args:
            A: the degradation.
            z: white noise of y's shape and std 1.
        """
        lacking = (self.std.max() ** 2 - self.std**2).sqrt()
        z = self.weighed(z, lacking)
        if isinstance(A, ProjectionOperator) and not A.onto:
            z = A(A.pinv(z))  # what is lost has no noise, either
        return self.y + z

    def off(self, A: LinearOperator, x: Tensor) -> Tensor:
        """x of an x' [S, 3, h, w] in [-1, 1]."""
        precision = self.std.clamp_min(LEAST) ** -2
        beyond = precision - precision.min()
        w = beyond / (beyond + (ERROR_SHARE * self.most) ** -2)
        return x + self.weighed(A.pinv(self.y.to(x) - A(x)), w)

    def weighed(self, x: Tensor, weights: Tensor) -> Tensor:
        """Q^T w Q x."""
        Q = self.colours.to(x)
        return torch.einsum("kc,k,kd,bdhw->bchw", Q, weights.to(x), Q, x)


def own_std(A: Operator, tint: Tint | None) -> float:
    """The std of y's own noise, in A's units, of which `tint` has made A's."""
    return A.sigma_y if tint is None else tint.rms
