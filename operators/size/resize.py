"""Super-resolution with other ways of shrinking.

Resize         torch's interpolation
GaussianDown   a Gaussian blur, then every r-th pixel
Subsample      every r-th pixel alone
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator, check_factor
from operators.scale import enlarged_shape, split_factor
from operators.size.separable import Separable
from operators.tools.transforms import reflect_index


class Resize(Separable):
    """y = K_h x K_w^T, K = torch's interpolation of a row by 1 / r: x is [B, C, r h, r w].

    Args:
        r: pixels of x a side, for one of y.
        mode: bicubic, bilinear or area.
        antialias: whether the interpolation's kernel is stretched by r; area has no kernel.
    """

    def __init__(self, r: int = 4, mode: str = "bicubic", antialias: bool = True):
        super().__init__()
        if mode not in ("bicubic", "bilinear", "area"):
            raise ValueError(f"operator.mode={mode!r}; it is bicubic, bilinear or area")
        self.r = self.divisor = check_factor(r)
        self.mode, self.antialias = mode, antialias and mode != "area"

    def matrix(self, n: int) -> Tensor:
        eye = torch.eye(n, dtype=torch.float64)[None, None]
        return F.interpolate(eye, (n // self.r, n), mode=self.mode, antialias=self.antialias)[0, 0]

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged_shape(y, self.r)

    def at_scale(self, r: int, y: Tensor) -> tuple["Resize", Tensor]:
        """What is left to enlarge."""
        left, y, extra = split_factor(self.r, r, y)
        small = Resize(left, self.mode, self.antialias)
        return small.with_noise(self.sigma_y / extra), y


class GaussianDown(Separable):
    """y = (g * x)[r/2::r, r/2::r]: [B, C, r h, r w] -> [B, C, h, w].

    The classical model, g a Gaussian; borders are reflected.

    Args:
        r: pixels of x a side, for one of y.
        sigma: std of g, pixels of x.
    """

    def __init__(self, r: int = 4, sigma: float = 1.6):
        super().__init__()
        if not sigma > 0:
            raise ValueError(
                f"operator.sigma={sigma!r}; the blur before subsampling has a width above 0 pixels"
            )
        self.r = self.divisor = check_factor(r)
        self.sigma = sigma

    def matrix(self, n: int) -> Tensor:
        reach = max(1, round(4 * self.sigma))
        rows = self.r * torch.arange(n // self.r) + self.r // 2
        columns = rows[:, None] + torch.arange(-reach, reach + 1)

        steps = torch.arange(-reach, reach + 1, dtype=torch.float64)
        taps = torch.exp(-0.5 * (steps / self.sigma) ** 2)

        blank = torch.zeros(len(rows), n, dtype=torch.float64)
        return blank.scatter_add_(
            1, reflect_index(columns, n), (taps / taps.sum()).expand(len(rows), -1)
        )

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged_shape(y, self.r)

    def at_scale(self, r: int, y: Tensor) -> tuple["GaussianDown", Tensor]:
        """What is left to enlarge."""
        left, y, extra = split_factor(self.r, r, y)
        small = GaussianDown(left, self.sigma * left / self.r / extra)
        return small.with_noise(self.sigma_y / extra), y


class Subsample(ProjectionOperator):
    """y = x[offset::r, offset::r]: [B, C, r h, r w] -> [B, C, h, w], by nearest neighbour.

    Args:
        r: pixels of x a side, for one of y.
        offset: the first row and column that are kept, 0 .. r - 1.
    """

    s, onto = 1.0, True

    def __init__(self, r: int = 4, offset: int = 0):
        super().__init__()
        self.r = self.divisor = check_factor(r)
        if not 0 <= offset < r:
            raise ValueError(f"operator.offset={offset!r}; it lies in 0..{r - 1}")
        self.offset = offset

    def forward(self, x: Tensor) -> Tensor:
        return x[..., self.offset :: self.r, self.offset :: self.r]

    def adjoint(self, y: Tensor) -> Tensor:
        x = y.new_zeros(self.x_shape(y))
        x[..., self.offset :: self.r, self.offset :: self.r] = y
        return x

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged_shape(y, self.r)

    def at_scale(self, r: int, y: Tensor) -> tuple["Subsample", Tensor]:
        """What is left to enlarge."""
        left, y, extra = split_factor(self.r, r, y)
        small = Subsample(left, self.offset * left // self.r)
        return small.with_noise(self.sigma_y / extra), y
