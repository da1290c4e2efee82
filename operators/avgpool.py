"""Super-resolution by block mean: y is the mean over r x r blocks of x (A of GDP and of DDNM's simplest task)."""

import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator, check_factor, enlarged


class AvgPool(ProjectionOperator):
    """[B, C, r h, r w] -> [B, C, h, w]; every non-zero singular value is 1 / r."""

    onto = True

    def __init__(self, r: int = 4):
        super().__init__()
        self.r = self.divisor = check_factor(r)
        self.s = 1 / r

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.r)

    def adjoint(self, y: Tensor) -> Tensor:
        return y.repeat_interleave(self.r, -2).repeat_interleave(self.r, -1) / self.r**2

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged(y, self.r)
