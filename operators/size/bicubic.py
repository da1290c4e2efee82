"""Super-resolution with antialiased bicubic downsampling, as Matlab's imresize and DDNM's SRConv.

    k_q = w((q - 2 r + 0.5) / r), normalised, q = 0 .. 4 r - 1      w: Keys' cubic, a = -0.5
    y_I = sum_q k_q x_{r I + r / 2 - 2 r + q}

Columns outside the picture are folded back by half-sample reflection.
Source: R. Keys, Cubic convolution interpolation for digital image processing, 1981.
"""

import torch
from torch import Tensor

from operators.base import check_factor
from operators.scale import enlarged_shape, split_factor
from operators.size.separable import Separable
from operators.tools.transforms import reflect_index


class Bicubic(Separable):
    """y = K_h x K_w^T, K = rows of Keys' cubic stretched by r: [B, C, r h, r w] -> [B, C, h, w].

    Args:
        r: pixels of x a side, for one of y.
    """

    def __init__(self, r: int = 4):
        super().__init__()
        self.r = self.divisor = check_factor(r)

    def matrix(self, n: int) -> Tensor:
        r, rows = self.r, torch.arange(n // self.r)
        centre = r * rows + (r - 1) / 2
        first = torch.ceil(centre - 2 * r).long()
        columns = first[:, None] + torch.arange(4 * r + 1)

        taps = keys_cubic((columns - centre[:, None]).double() / r)
        taps /= taps.sum(1, keepdim=True)

        blank = torch.zeros(len(rows), n, dtype=torch.float64)
        return blank.scatter_add_(1, reflect_index(columns, n), taps)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged_shape(y, self.r)

    def at_scale(self, r: int, y: Tensor) -> tuple["Bicubic", Tensor]:
        """What is left to enlarge."""
        left, y, extra = split_factor(self.r, r, y)
        return Bicubic(left).with_noise(self.sigma_y / extra), y


def keys_cubic(s: Tensor, a: float = -0.5) -> Tensor:
    """Keys' cubic convolution kernel w(s), zero beyond |s| = 2."""
    s = s.abs()
    near = (a + 2) * s**3 - (a + 3) * s**2 + 1
    far = a * (s**3 - 5 * s**2 + 8 * s - 4)
    return torch.where(s <= 1, near, torch.where(s < 2, far, 0.0))
