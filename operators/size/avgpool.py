"""Super-resolution by block means, the A of GDP and of DDNM's simplest task."""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator, check_factor
from operators.scale import enlarged_shape, split_factor
from operators.size.soft_down import KNOWN, OwnKernel


class AvgPool(OwnKernel, ProjectionOperator):
    """y = (1 / r^2) sum of x over each r x r block: [B, C, r h, r w] -> [B, C, h, w].

    Every non-zero singular value is 1 / r.

    Args:
        r: pixels of x a side, for one of y.
        kernel: known, or auto: a photo that is softer than block means has its own blur undone too.
    """

    onto = True

    def __init__(self, r: int = 4, kernel: str = KNOWN):
        super().__init__()
        self.set_kernel(kernel)
        self.r = self.divisor = check_factor(r)
        self.s = 1 / r

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.r)

    def adjoint(self, y: Tensor) -> Tensor:
        return y.repeat_interleave(self.r, -2).repeat_interleave(self.r, -1) / self.r**2

    def taps(self) -> tuple[Tensor, Tensor]:
        """Distances from the middle of a block [r], and weights [r], float64."""
        places = torch.arange(self.r, dtype=torch.float64) - (self.r - 1) / 2
        return places, torch.full_like(places, 1 / self.r)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged_shape(y, self.r)

    def at_scale(self, r: int, y: Tensor) -> tuple["AvgPool", Tensor]:
        """What is left to enlarge."""
        left, y, extra = split_factor(self.r, r, y)
        return AvgPool(left).with_noise(self.sigma_y / extra), y
