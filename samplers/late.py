"""Late start: begin at t0 < T from a noised first guess of x, as in CCDF (Chung et al., CVPR 2022).

    x_t0 ~ q(x_t0 | A^+ y),   t0: the first time whose noise, sqrt((1 - a) / a), is `HIDE` times the guess's error

The error is measured on random pictures with the statistics of photos: 1/f spectra and colours that go together.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.noise import Noise
from gdp.prior import Prior
from gdp.schedule import Schedule
from operators.base import AffineOperator, LinearOperator, Operator

HIDE = 3.0
CONTRAST, COLOUR = 0.5, 0.15  # std of a photo's grey values and of its colour channels about them, [-1, 1] units


def late(schedule: Schedule, prior: Prior, A: Operator, y: Tensor) -> Schedule:
    """The schedule with start=auto resolved; at most as many steps as there are times."""
    if schedule.start != "auto":
        return schedule
    start = automatic_start(prior, A, y)
    return replace(schedule, start=start, steps=min(schedule.steps, max(1, round(start * prior.T))))


def automatic_start(prior: Prior, A: Operator, y: Tensor) -> float:
    """t0 / T, by what the first guess leaves wrong where it is worst; 1 where even T is too early to hide it."""
    error = HIDE * worst_error(A, y[:1])
    times = [t for t in range(1, prior.T + 1) if (1 / prior.a(t) - 1) ** 0.5 >= error]
    return max(times[0], 2) / prior.T if times else 1.0


def worst_error(A: Operator, y: Tensor) -> float:
    """RMS error of the first guess of a photo-like picture, in the worst of its 16x16 neighbourhoods, [-1, 1] units."""
    x = photo_like(A.x_shape(y), y)
    noisy = A(x) + A.sigma_y * Noise([0], "degrade").like(y) if A.sigma_y else A(x)
    square = (first_guess(A, noisy) - x).square().mean(1, keepdim=True)
    size = min(16, *square.shape[-2:])
    return float(F.avg_pool2d(square, size, max(1, size // 2)).max().sqrt())


def photo_like(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """A random picture [1, C, H, W] with 1/f amplitudes: CONTRAST in grey, COLOUR in what differs between channels."""
    z = Noise([0], "start").like(torch.empty(1, shape[1] + 1, *shape[-2:], device=like.device))
    fy, fx = (torch.fft.fftfreq(n, device=z.device) for n in shape[-2:])
    falloff = torch.hypot(fy[:, None], fx[None]).clamp_min(1 / max(shape[-2:])).reciprocal()
    field = torch.fft.ifft2(torch.fft.fft2(z) * falloff).real
    field = field / field.square().mean((-2, -1), keepdim=True).sqrt().clamp_min(1e-12)
    return (CONTRAST * field[:, :1] + COLOUR * field[:, 1:]).to(like.dtype)


def first_guess(A: Operator, y: Tensor) -> Tensor:
    """A^+ y, or Wiener's estimate where y is noisy; y itself, resized, where A is not linear."""
    if isinstance(A, AffineOperator):
        A, y = A.linear(), y - A.offset(y)
    shape = A.x_shape(y)
    if isinstance(A, LinearOperator):
        return A.prox(y.new_zeros(shape), y, (A.sigma_y / CONTRAST) ** 2) if A.sigma_y > 0 else A.pinv(y)
    if y.ndim != 4 or y.shape[1] not in (1, shape[1]):
        return y.new_zeros(shape)
    return F.interpolate(y, shape[-2:], mode="bicubic", align_corners=False).expand(shape).contiguous()
