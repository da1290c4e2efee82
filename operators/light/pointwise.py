"""Operators that change each value by itself, by a curve that rises.

y = g(x)     with x = g^-1(y) where y has no noise, and else by Gauss and Newton's iteration

prox:  x <- x - ((g(x) - y) g'(x) + rho (x - v)) / (g'(x)^2 + rho)
"""

import torch
from torch import Tensor

from operators.base import ROUNDED, Operator
from operators.tools.units import to_model, to_pixels

ROUNDS = 8  # of Gauss and Newton's iteration


class Pointwise(Operator):
    """y01 = g(x01), value by value; a subclass writes `forward` and `inverse`."""

    def inverse(self, v: Tensor) -> Tensor:
        """g^-1 of values in [0, 1]."""
        raise TypeError(f"{type(self).__name__} defines no inverse(v)")

    def guess(self, y: Tensor) -> Tensor:
        """x as y alone has it."""
        return to_model(self.inverse(to_pixels(y)))

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The image that A maps to y; x itself where y has noise to be left behind."""
        return x if self.sigma_y > ROUNDED else to_model(self.inverse(to_pixels(y)))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin_x ||A(x) - y||^2 + rho ||x - v||^2."""
        x = v
        for _ in range(ROUNDS):
            with torch.enable_grad():
                point = x.detach().requires_grad_()
                value = self(point)
                slope = torch.autograd.grad(value.sum(), point)[0]
            x = x - ((value.detach() - y) * slope + rho * (x - v)) / (slope.square() + rho)
        return x
