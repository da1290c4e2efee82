"""Super-resolution with antialiased bicubic downsampling, as Matlab's imresize and DDNM's SRConv.

    k_q = w((q - 2 r + 0.5) / r), normalised, q = 0 .. 4 r - 1      w: Keys' cubic, a = -0.5
    y_I = sum_q k_q x_{r I + r / 2 - 2 r + q}

Columns outside the picture are folded back by half-sample reflection.
Source: R. Keys, Cubic convolution interpolation for digital image processing, 1981.
"""

import math

import torch
from torch import Tensor

from operators.base import check_factor
from operators.scale import enlarged_shape, split_factor
from operators.size.separable import Separable
from operators.size.soft_down import KNOWN, OwnKernel
from operators.tools.transforms import reflect_index


class Bicubic(OwnKernel, Separable):
    """y = K_h x K_w^T, K = rows of Keys' cubic stretched by r: [B, C, r h, r w] -> [B, C, h, w].

    Args:
        r: pixels of x a side, for one of y.
        kernel: known, or auto: a photo that is softer than that has its own blur undone too.
    """

    def __init__(self, r: int = 4, kernel: str = KNOWN):
        super().__init__()
        self.set_kernel(kernel)
        self.r = self.divisor = check_factor(r)

    def matrix(self, n: int) -> Tensor:
        rows = torch.arange(n // self.r)
        places, taps = self.taps()
        columns = (self.r * rows[:, None] + (self.r - 1) / 2 + places).round().long()

        blank = torch.zeros(len(rows), n, dtype=torch.float64)
        return blank.scatter_add_(1, reflect_index(columns, n), taps.expand(len(rows), -1))

    def taps(self) -> tuple[Tensor, Tensor]:
        """Distances from the middle of a block [4 r + 1], and weights [4 r + 1], float64."""
        middle = (self.r - 1) / 2
        first = math.ceil(middle - 2 * self.r)
        places = first + torch.arange(4 * self.r + 1, dtype=torch.float64) - middle
        taps = keys_cubic(places / self.r)
        return places, taps / taps.sum()

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
