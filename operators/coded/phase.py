"""Phase retrieval: a detector in the far field sees how strong each frequency is, not its phase.

    y01 = |F pad(x01)|,  F the orthonormal 2-D DFT

The image is padded with zeros to `oversample` times its sides. Flips and shifts of x leave y
alone, so an answer may be turned by 180 degrees; oversample >= 2 makes it unique but for those
(Hayes, 1982).

guess   the difference map (Elser, Phase retrieval by iterated projections, 2003), each colour by
        itself, from several starts: a random picture, then the colour that fits y best so far;
        what fits best is taken
            P x    x within its frame and in [0, 1]
            Q x    x with the magnitudes of y
            x     <- x + P(2 Q x - x) - Q x
prox    F pad is an isometry, so with the phases phi of the last x held
            x     <- (crop F^-1(y e^(i phi)) + rho v) / (1 + rho)
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ROUNDED, Operator
from operators.tools.units import to_model, to_pixels

STARTS = 4  # random starts ...
ROUNDS = 400  # ... of so many rounds of the difference map ...
SETTLED = 2e-3  # ... until the misfit is this share of y
REFINE = 30  # rounds of projections in turn that follow, and of a proximal step
NEAR = 0.05  # error of a guess without noise, [-1, 1] units ...
AMPLIFIED = 4.0  # ... and with noise in units of it


class PhaseRetrieval(Operator):
    """y01 = |F pad(x01)|: [B, C, H, W] -> [B, C, oversample H, oversample W].

    y is scaled as images are, so sigma_y keeps its meaning.

    Args:
        oversample: how often larger the padded sides are; 2 or more for a unique answer.
    """

    spreads = True

    def __init__(self, oversample: int = 2):
        super().__init__()
        if isinstance(oversample, bool) or not isinstance(oversample, int) or oversample < 1:
            raise ValueError(
                f"operator.oversample={oversample!r}; "
                "it is a whole number, 2 or more for a unique answer, 1 at least"
            )
        self.oversample = oversample

    @property
    def guess_error(self) -> float:  # type: ignore[override]
        """How wrong `guess` is: random pictures, not within [0, 1], cannot tell it."""
        return max(NEAR, AMPLIFIED * self.sigma_y)

    def forward(self, x: Tensor) -> Tensor:
        size = tuple(self.oversample * n for n in x.shape[-2:])
        spectrum = torch.fft.fft2(to_pixels(x), s=size, norm="ortho")
        power = spectrum.real.square() + spectrum.imag.square()
        return to_model((power + 1e-8).sqrt())

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (*y.shape[:-2], *(n // self.oversample for n in y.shape[-2:]))

    def guess(self, y: Tensor) -> Tensor:
        """The best of several random starts, each colour by itself, all turned the same way."""
        shape = self.x_shape(y)
        magnitudes = to_pixels(y).clamp_min(0)
        half = magnitudes[..., : y.shape[-1] // 2 + 1].flatten(0, 1)

        best = first = random_pictures(half, shape[-2:], 0)
        least = half.new_full((len(half),), torch.inf)
        for start in range(1, STARTS + 1):
            p = difference_map(half, y.shape[-2:], first)
            misfit = misfit_of(p, half, y.shape[-2:])
            best = torch.where((misfit < least)[:, None, None], p, best)
            least = misfit.minimum(least)
            if (least < SETTLED).all():
                break

            # Colours are alike: those that are not found yet go on from the one that is, or nearly.
            lead = least.view(shape[:2]).argmin(1)
            chosen = best.view(shape)[torch.arange(len(lead), device=lead.device), lead]
            first = chosen.repeat_interleave(shape[1], 0)
            if start % 2 == 0:
                first = random_pictures(half, shape[-2:], start)
        return to_model(turned_alike(best.view(shape)))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """The minimum of ||A(x) - y||^2 + rho ||x - v||^2 nearest to v."""
        p, target, magnitudes = to_pixels(v), to_pixels(v), to_pixels(y).clamp_min(0)
        half = magnitudes[..., : y.shape[-1] // 2 + 1]
        for _ in range(REFINE):
            seen = with_magnitudes(pad(p, y.shape[-2:]), half)[..., : p.shape[-2], : p.shape[-1]]
            p = (seen + rho * target) / (1 + rho)
        return to_model(p)

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The picture near x that A maps to y; x itself where y has noise to be left behind."""
        return x if self.sigma_y > ROUNDED else self.prox(x, y, 0.0)

    def likest(self, x: Tensor, truth: Tensor) -> Tensor:
        """x, or x turned by 180 degrees."""
        turned = x.rot90(2, (-2, -1))
        return turned if (turned - truth).norm() < (x - truth).norm() else x


def pad(p: Tensor, size: Sequence[int]) -> Tensor:
    """p [..., h, w] with zeros below and at the right, to a size (H, W)."""
    return F.pad(p, (0, size[1] - p.shape[-1], 0, size[0] - p.shape[-2]))


def with_magnitudes(p: Tensor, half: Tensor) -> Tensor:
    """p [..., H, W] with the magnitudes `half` [..., H, W // 2 + 1] in place of its own."""
    spectrum = torch.fft.rfft2(p, norm="ortho")
    own = spectrum.abs().clamp_min(1e-9)
    return torch.fft.irfft2(spectrum * (half / own), s=p.shape[-2:], norm="ortho")


def misfit_of(p: Tensor, half: Tensor, size: Sequence[int]) -> Tensor:
    """How far the magnitudes of p [N, h, w] are from `half`, as a share of these, [N]."""
    own = torch.fft.rfft2(p, s=tuple(size), norm="ortho").abs()
    return (own - half).flatten(1).norm(dim=1) / half.flatten(1).norm(dim=1).clamp_min(1e-12)


def random_pictures(half: Tensor, frame: Sequence[int], start: int) -> Tensor:
    """The same random picture [h, w] in [0, 1] for each of `half` [N, H, W // 2 + 1]."""
    draws = torch.rand(1, *frame, generator=torch.Generator().manual_seed(start))
    return draws.to(half).expand(len(half), *frame)


def difference_map(half: Tensor, size: Sequence[int], first: Tensor) -> Tensor:
    """Pictures [N, h, w] in [0, 1] with magnitudes near to `half`.

    Args:
        half: magnitudes [N, H, W // 2 + 1].
        size: (H, W).
        first: where to start, [N, h, w]; outside this frame the pictures are 0.
    """
    h, w = first.shape[-2:]

    def within(p: Tensor) -> Tensor:
        return pad(p[..., :h, :w].clamp(0, 1), size)

    p = pad(first, size)
    for k in range(ROUNDS):
        seen = with_magnitudes(p, half)
        p = p + within(2 * seen - p) - seen
        if k % 50 == 49:
            now = within(with_magnitudes(p, half))[..., :h, :w]
            if (misfit_of(now, half, size) < SETTLED).all():
                break

    for _ in range(REFINE):
        p = within(with_magnitudes(p, half))
    return p[..., :h, :w]


def turned_alike(p: Tensor) -> Tensor:
    """p [B, C, H, W] with each colour turned by 180 degrees where the first one looks more alike.

    The first is turned so that more of its light is above the middle, as in most photos.
    """
    flipped = p.rot90(2, (-2, -1))
    upper = p.shape[-2] // 2
    down = p[:, :1, :upper].sum((1, 2, 3)) < flipped[:, :1, :upper].sum((1, 2, 3))
    first = torch.where(down.view(-1, 1, 1, 1), flipped[:, :1], p[:, :1])

    centred = first - first.mean((-2, -1), keepdim=True)
    same, other = ((centred * q).sum((-2, -1), keepdim=True) for q in (p, flipped))
    return torch.where(same >= other, p, flipped)
