"""Super-resolution with other ways of shrinking: torch's own interpolations, every r-th pixel, and Gaussian blur before that."""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator, check_factor
from operators.scale import enlarged_shape, split_factor
from operators.size.separable import Separable
from operators.tools.transforms import folded


class Resize(Separable):
    """y = K_h x K_w^T, K = torch's interpolation of a row by 1 / r: [B, C, r h, r w] -> [B, C, h, w].

    `mode` is bicubic, bilinear or area, antialiased or not.
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
        return Resize(left, self.mode, self.antialias).with_noise(self.sigma_y / extra), y


class GaussianDown(Separable):
    """y = (g * x)[r/2::r, r/2::r]: g a Gaussian of std `sigma`, the classical model, [B, C, r h, r w] -> [B, C, h, w].

    Borders are reflected.
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
        taps = torch.exp(
            -0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float64) / self.sigma) ** 2
        )
        blank = torch.zeros(len(rows), n, dtype=torch.float64)
        return blank.scatter_add_(1, folded(columns, n), (taps / taps.sum()).expand(len(rows), -1))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return enlarged_shape(y, self.r)

    def at_scale(self, r: int, y: Tensor) -> tuple["GaussianDown", Tensor]:
        """What is left to enlarge."""
        left, y, extra = split_factor(self.r, r, y)
        return GaussianDown(left, self.sigma * left / self.r / extra).with_noise(
            self.sigma_y / extra
        ), y


class Subsample(ProjectionOperator):
    """y = x[offset::r, offset::r]: nearest-neighbour shrinking, [B, C, r h, r w] -> [B, C, h, w]."""

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
        return Subsample(left, self.offset * left // self.r).with_noise(self.sigma_y / extra), y
