"""Operators of other fields: k-space, a sinogram, a mosaic of spectral filters, a single pixel."""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import LinearOperator


class Coils(LinearOperator):
    """k-space lines of MRI, seen by coils: y [B, coils, H, W], complex, of an x of one channel."""

    x_channels = 1
    lines: Tensor
    seen: Tensor

    def __init__(self, n: int, coils: int = 1, share: float = 0.2, centre: int = 8):
        super().__init__()
        lines = torch.rand(n, generator=torch.Generator().manual_seed(0)) < share
        lines[n // 2 - centre // 2 : n // 2 + centre // 2] = True
        grid = torch.linspace(-1, 1, n)
        angles = torch.arange(coils) * 2 * torch.pi / coils
        far = (grid[:, None] - angles.sin()[:, None, None]) ** 2
        far = far + (grid - angles.cos()[:, None, None]) ** 2
        seen = (-far / 2).exp() if coils > 1 else torch.ones(1, n, n)
        self.register_buffer("lines", torch.fft.ifftshift(lines).float())
        self.register_buffer("seen", seen / seen.square().sum(0).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.fft2(x * self.seen, norm="ortho") * self.lines

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return len(y), 1, *y.shape[-2:]


class Radon(LinearOperator):
    """Parallel beams: y [B, angles, detectors], sums along rows of the picture turned."""

    x_channels = 1
    grid: Tensor

    def __init__(self, n: int, angles: int = 30):
        super().__init__()
        theta = torch.arange(angles) * torch.pi / angles
        c, s, zero = theta.cos(), theta.sin(), torch.zeros(angles)
        turns = torch.stack([c, -s, zero, s, c, zero], 1).view(-1, 2, 3)
        grid = F.affine_grid(turns, [angles, 1, n, n], align_corners=False)
        self.register_buffer("grid", grid.reshape(1, angles * n, n, 2))
        self.n, self.angles = n, angles

    def forward(self, x: Tensor) -> Tensor:
        turned = F.grid_sample(x, self.grid.expand(len(x), -1, -1, -1), align_corners=False)
        return turned.view(len(x), self.angles, self.n, self.n).sum(2)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return len(y), 1, self.n, self.n

    def filtered_back_projection(self, y: Tensor) -> Tensor:
        """FBP of pixels in [0, 1]: a ramp filter, and the adjoint."""
        pixels = (y + self(torch.ones(self.x_shape(y)))) / 2
        ramp = torch.fft.rfftfreq(2 * self.n) * 2
        filtered = torch.fft.irfft(torch.fft.rfft(pixels, 2 * self.n) * ramp, 2 * self.n)
        return self.adjoint(filtered[..., : self.n]) * torch.pi / (2 * self.angles)


class FilterMosaic(LinearOperator):
    """A spectral camera with a filter a pixel: y [B, H, W] of N bands, in blocks of 4 x 4."""

    def __init__(self, bands: int = 16):
        super().__init__()
        self.bands = self.x_channels = bands

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (torch.arange(n, device=x.device) % 4 for n in x.shape[-2:])
        band = (4 * rows[:, None] + columns) * self.bands // 16
        return x.gather(1, band.expand(len(x), 1, -1, -1))[:, 0]

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return len(y), self.bands, *y.shape[1:]


class SinglePixel(LinearOperator):
    """One detector behind random patterns of light: y [B, m], of an x of one channel."""

    x_channels = 1
    spreads = True
    patterns: Tensor

    def __init__(self, n: int, share: float = 0.25):
        super().__init__()
        m, random = int(share * n * n), torch.Generator().manual_seed(0)
        self.register_buffer("patterns", torch.randn(m, n * n, generator=random) / m**0.5)
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.patterns.T

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return len(y), 1, self.n, self.n
