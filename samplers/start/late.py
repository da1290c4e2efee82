"""Late start, at t0 < T from a noised first guess of x, as in CCDF (Chung et al., CVPR 2022); and an end before y's noise is resolved.

    x_t0 ~ q(x_t0 | first_guess),   t0: the first time whose noise, sqrt((1 - a) / a), is HIDE times the guess's error
    end:                            the last time whose noise is below LEFT sigma_y (or FINEST): x0 is as sure there as y lets it be

The error is measured on random pictures with the statistics of photos: 1/f spectra and colours that go together.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import ROUNDED, AffineOperator, LinearOperator, Operator

HIDE, LEFT = 2.0, 0.5
FINEST = 0.03  # noise, [-1, 1] units, below which the network has nothing to add
DRAWS, LARGE = 3, 2**14  # pictures to measure on; one will do where y has more pixels than that
CONTRAST, COLOUR = (
    0.5,
    0.4,
)  # std of a photo's grey values and of vivid colours about them, [-1, 1] units
SMOOTH = (16, 16, 8, 8, 4, 4, 2, 2)  # how far the first guess is smoothed, one after the other
WIDE, NARROW = (
    2.0,
    0.25,
)  # how far a photo's values are from 0, so that nothing is darkened; and from their smooth
ROUNDS, STRIDE, EDGE = (
    200,
    0.2,
    0.06,
)  # of the search for the least variation; its step; and a photo's mean gradient
LEAST = 0.3  # the error of that, over a photo's edges: random pictures have none, and tell nothing of it
Guess = Callable[
    [Operator, Tensor, Tensor], Tensor
]  # of a picture, from A, y and what else may be known of the picture: itself


def hides(error: float) -> float:
    """The noise that hides a guess's error."""
    return HIDE * error


def late(
    schedule: Schedule,
    prior: Prior,
    A: Operator,
    y: Tensor,
    guess: Guess | None = None,
    noise: Callable[[float], float] = hides,
) -> Schedule:
    """The schedule with start=auto (from this guess) and end=auto resolved; at most as many steps as there are times between them.

    `noise` says how much of it is to hide an error.
    """
    start, end = schedule.start, schedule.end
    if not isinstance(start, str) and not isinstance(end, str):
        return schedule
    if isinstance(end, str):
        end = automatic_end(prior, A)
    if isinstance(start, str):
        start = min(1.0, max(automatic_start(prior, A, y, guess, noise), end + 0.05))
    resolved = replace(schedule, start=start, end=end)
    low, top = resolved.ends(prior.T)
    return replace(resolved, steps=min(schedule.steps, max(1, top - low + 1)))


def automatic_start(
    prior: Prior,
    A: Operator,
    y: Tensor,
    guess: Guess | None = None,
    noise: Callable[[float], float] = hides,
) -> float:
    """t0 / T, by what a guess (the first one if none is given) leaves wrong where it is worst; 1 where even T is too early."""
    error = (
        LEAST
        if guess is None and A.spreads
        else worst_error(A, y[:1], guess or (lambda A, y, x: first_guess(A, y)))
    )
    sigma = noise(error)
    times = [t for t in range(1, prior.T + 1) if prior.sigma(t) >= sigma]
    return max(times[0], 2) / prior.T if times else 1.0


def automatic_end(prior: Prior, A: Operator) -> float:
    """The end / T, by y's noise if it is more than that of 8 bits: below FINEST only where that noise is."""
    least = max(LEFT * A.sigma_y, min(FINEST, 0.75 * A.sigma_y)) if A.sigma_y > ROUNDED else FINEST
    times = [t for t in range(1, prior.T // 2) if prior.sigma(t) < least]
    return times[-1] / prior.T if times else 0.0


def worst_error(A: Operator, y: Tensor, guess: Guess) -> float:
    """The error of a guess of photo-like pictures in terms of white noise of std 1, [-1, 1] units: the largest coefficient.

    Coefficients are those of w x w block means, w = 1, 2, 4 ..., which noise hides as well at any scale: w times the mean.
    """
    errors = []
    for draw in range(1 if y.shape[-2] * y.shape[-1] > LARGE else DRAWS):
        x = photo_like(A.x_shape(y), y, draw)
        noisy = A(x) + A.sigma_y * Noise([draw], "degrade").like(y) if A.sigma_y else A(x)
        errors.append(guess(A, noisy, x) - x)
    e, w, worst = torch.cat(errors), 1, 0.0
    while w <= min(e.shape[-2:]):
        power = (w * F.avg_pool2d(e, w)).square().mean((0, 1))[None, None]
        nearby = min(4, *power.shape[-2:])
        worst, w = max(worst, float(F.avg_pool2d(power, nearby, 1).max())), 2 * w
    return worst**0.5


def photo_like(shape: tuple[int, ...], like: Tensor, draw: int) -> Tensor:
    """A random picture [1, C, H, W] with 1/f amplitudes: CONTRAST in grey, COLOUR in what differs between channels."""
    z = Noise([draw], "start").like(torch.empty(1, shape[1] + 1, *shape[-2:], device=like.device))
    field = pink(z)
    field = field / field.square().mean((-2, -1), keepdim=True).sqrt().clamp_min(1e-12)
    return (CONTRAST * field[:, :1] + COLOUR * field[:, 1:]).to(like.dtype)


def pink(z: Tensor) -> Tensor:
    """White noise z [..., H, W] with the 1/f amplitudes of photos."""
    H, W = z.shape[-2:]
    fy, fx = torch.fft.fftfreq(H, device=z.device), torch.fft.rfftfreq(W, device=z.device)
    falloff = torch.hypot(fy[:, None], fx[None]).clamp_min(1 / max(H, W)).reciprocal()
    return torch.fft.irfft2(torch.fft.rfft2(z).mul_(falloff), s=(H, W))


def first_guess(A: Operator, y: Tensor) -> Tensor:
    """The smoothest picture that agrees with y, coarse to fine; y itself, resized, where A is not linear.

    Papoulis and Gerchberg's iteration: smooth, then put y in again by A^+ (or the proximal step where y is noisy). What A leaves open is
    filled from what lies around it, where A^+ y would have 0. Where A spreads every pixel over all of y there is nothing around, and the
    picture of least variation is taken.
    """
    if isinstance(A, AffineOperator):
        return first_guess(A.linear(), y - A.offset(y))
    shape = A.x_shape(y)
    if not isinstance(A, LinearOperator):
        if y.ndim != 4 or y.shape[1] not in (1, shape[1]):
            return y.new_zeros(shape)
        return (
            F.interpolate(y, shape[-2:], mode="bicubic", align_corners=False)
            .expand(shape)
            .contiguous()
        )

    if A.spreads:
        return least_variation(A, y)
    x = agreeing(A, y.new_zeros(shape), y, WIDE)
    for factor in SMOOTH if hasattr(A, "spectral") else SMOOTH[::2]:  # iterated inverses cost more
        x = agreeing(A, smooth(x, factor), y, NARROW)
    return x


def least_variation(A: LinearOperator, y: Tensor) -> Tensor:
    """The picture of least total variation, over all channels, that agrees with y (Rudin, Osher & Fatemi, 1992).

    Where y is noisy, the likeliest if gradients are Laplacian. The primal-dual iteration of Chambolle & Pock (2011), Algorithm 1.
    """
    x = again = A.pinv(y)
    p = x.new_zeros(2, *x.shape)
    for _ in range(ROUNDS):
        p = p + gradient(again) / (8 * STRIDE)
        p = p / p.square().sum((0, 2), keepdim=True).sqrt().clamp_min(1)
        moved = agreeing(A, x + STRIDE * divergence(p), y, (EDGE * STRIDE) ** 0.5)
        x, again = moved, 2 * moved - x
    return x


def gradient(x: Tensor) -> Tensor:
    """Differences to the next pixel below and to the right, [2, B, C, H, W]; 0 at the end."""
    return torch.stack([F.pad(x.diff(dim=-2), (0, 0, 0, 1)), F.pad(x.diff(dim=-1), (0, 1))])


def divergence(p: Tensor) -> Tensor:
    """Minus the adjoint of `gradient`."""
    down, right = p[0][..., :-1, :], p[1][..., :-1]
    return (
        F.pad(down, (0, 0, 0, 1))
        - F.pad(down, (0, 0, 1, 0))
        + F.pad(right, (0, 1))
        - F.pad(right, (1, 0))
    )


def agreeing(A: Operator, v: Tensor, y: Tensor, std: float) -> Tensor:
    """The picture next to v, whose error has this std, that agrees with y as far as y's noise allows; v itself where A is not linear."""
    if isinstance(A, AffineOperator):
        return agreeing(A.linear(), v, y - A.offset(y), std)
    if not isinstance(A, LinearOperator):
        return v
    return A.prox(v, y, (A.sigma_y / std) ** 2) if A.sigma_y > 0 else v - A.pinv(A(v) - y)


def smooth(x: Tensor, factor: int) -> Tensor:
    """x at 1 / factor of its size, and up again."""
    H, W = x.shape[-2:]
    small = F.interpolate(x, (max(1, H // factor), max(1, W // factor)), mode="area")
    return F.interpolate(
        small,
        (H, W),
        mode="bicubic" if min(small.shape[-2:]) > 3 else "bilinear",
        align_corners=False,
    )
