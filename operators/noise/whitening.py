"""What makes coloured noise white: W, by colour, frequency and brightness.

    n  = g Q^T C^-1 s z         z: white;  C: DCT-II of the picture;  Q: three directions in RGB
    W  = sigma / s . . .        W y = W x + white noise of std sigma
       = sigma Q^T C^-1 (1 / s) C Q (1 / g)
    W~(f) = sum_k w_k Q^T C^-1 f(s g_k) C Q       w_k(g): between which of the levels g_k a pixel is

s is a std by direction and frequency, g a gain by pixel that changes slowly. W~ applies a function
of the local std s g: exact where g is 1 all over, else as if the noise around each pixel were the
same everywhere (a pseudo-differential operator: Mallat, Papanicolaou and Zhang, Adaptive covariance
estimation of locally stationary processes, Annals of Statistics 1998).
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from operators.scale import shrink
from operators.tools.portable import Portable
from operators.tools.transforms import dct2, idct2

LEVELS = 5  # of the gain, at most, among which pixels are interpolated ...
STEP = 1.15  # ... and by how much, at least, two of them differ


class Whitening(Portable):
    """W, for pictures [B, C, H, W] of one size in [-1, 1].

    Args:
        std: s [1, C, H, W] by direction and frequency of the DCT, in units of [-1, 1]; above 0.
        gain: g [1, 1, H, W] by pixel; None is 1 all over.
        colours: Q [C, C], orthonormal, a direction a row.

    Attributes:
        sigma: std of the noise after W, in units of [-1, 1]: a typical one of that before it.
    """

    whole: ClassVar[bool] = True  # whether its frequencies are those of the whole picture
    std: Tensor
    colours: Tensor
    gain: Tensor
    weights: Tensor

    def __init__(self, std: Tensor, gain: Tensor | None, colours: Tensor):
        super().__init__()
        gain = std.new_ones(1, 1, 1, 1) if gain is None else gain
        self.sigma = float((std.square().mean() * gain.square().mean()).sqrt())
        self.levels = levels_of(gain)
        for name, value in (("std", std), ("gain", gain), ("colours", colours.to(std))):
            self.register_buffer(name, value, persistent=False)
        self.register_buffer("weights", interpolation(gain, self.levels), persistent=False)

    def coefficients(self, x: Tensor) -> Tensor:
        """C Q x."""
        return dct2(torch.einsum("ij,bjhw->bihw", self.colours.to(x), x))

    def picture(self, c: Tensor) -> Tensor:
        """Q^T C^-1 c."""
        return torch.einsum("ji,bjhw->bihw", self.colours.to(c), idct2(c))

    def forward(self, y: Tensor) -> Tensor:
        """W y."""
        return self.picture(self.coefficients(y / self.gain.to(y)) * (self.sigma / self.std).to(y))

    def transpose(self, y: Tensor) -> Tensor:
        """W^T y."""
        return self.picture(self.coefficients(y) * (self.sigma / self.std).to(y)) / self.gain.to(y)

    def inverse(self, y: Tensor) -> Tensor:
        """W^-1 y."""
        return self.gain.to(y) * self.picture(self.coefficients(y) * (self.std / self.sigma).to(y))

    def filter(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        """W~(f) x.

        Args:
            x: [B, C, H, W].
            f: of the singular values of W, sigma / (s g), [1, C, H, W]; elementwise.
        """
        c, w = self.coefficients(x), (self.sigma / self.std).to(x)
        parts = [self.picture(f(w / level) * c) for level in self.levels]
        return parts[0] if len(parts) == 1 else sum(
            weight * part for weight, part in zip(self.weights.to(x), parts, strict=True)
        )  # fmt: skip

    def coarse(self, r: int) -> float:
        """The rms of the noise in means over r x r pixels, in units of [-1, 1]."""
        return self.at_scale(r).sigma

    def at_scale(self, r: int) -> "Whitening":
        """The same noise after means over r x r pixels."""
        if r == 1:
            return self
        variance = shrink_spectrum(shrink_spectrum(self.std**2, r).mT, r).mT
        gain = shrink(self.gain, r) if self.gain.numel() > 1 else self.gain
        return Whitening(variance.sqrt(), gain, self.colours)


def levels_of(gain: Tensor) -> list[float]:
    """The gains, evenly apart as logarithms, among which pixels are interpolated."""
    low, high = (float(end.log()) for end in gain.aminmax())
    count = min(LEVELS, 1 + int((high - low) / torch.tensor(STEP).log()))
    if count == 1:
        return [float(gain.square().mean().sqrt())]
    return [float(level.exp()) for level in torch.linspace(low, high, count)]


def interpolation(gain: Tensor, levels: list[float]) -> Tensor:
    """The weight of each level at each pixel, [levels, 1, 1, H, W]; they add up to 1."""
    if len(levels) == 1:
        return torch.ones(1, 1, 1, 1, 1).to(gain)
    ends = torch.tensor([levels[0], levels[-1]]).log().tolist()
    place = (gain.log() - ends[0]) / (ends[1] - ends[0]) * (len(levels) - 1)
    return torch.stack([(1 - (place - k).abs()).clamp_min(0) for k in range(len(levels))])


def shrink_spectrum(variance: Tensor, r: int) -> Tensor:
    """The variance by frequency [..., W] after means over r pixels: [..., W // r].

    The mean's frequency response is a Dirichlet kernel; what lies above the new highest frequency
    is folded back onto what lies below.
    """
    n = variance.shape[-1] // r
    angle = torch.pi / (2 * n * r) * torch.arange(n * r, dtype=torch.float64)
    response = torch.ones_like(angle)
    response[1:] = torch.sin(r * angle[1:]) / (r * torch.sin(angle[1:]))
    passed = variance[..., : n * r] * response.square().to(variance)

    bands = passed.unflatten(-1, (r, n))
    folded = [bands[..., k, :].flip(-1) if k % 2 else bands[..., k, :] for k in range(r)]
    return torch.stack(folded).mean(0)
