"""How y's noise arrives in x.

A z, A^T A z of white z     m2 = tr(A^T A) / n,  m4 = tr((A^T A)^2) / n
even  = m2^2 / m4                  1 where y's noise arrives in x the same everywhere
std   = |A^+ sigma_y z|            of y's noise in x, where A sees all of x;
        sigma_y sqrt(m2 / m4)      else where it sees most
v1 v2 v3 = tr(d^-2), tr(d^-4), tr(d^-6)    by singular value d, where A sees all of x
level = v2^2 / (v1 v3)             1 where what noise there is has one std; then
        even = 1, std = sigma_y sqrt(v2 / v1)
peak  = of places of 16 x 16, what the noisiest tenth has at least, in terms of std
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from operators.base import AffineOperator, LinearOperator, Operator, SpectralOperator

EVEN = 0.99  # `even` from which noise is all that there is to undo
UNSEEN, LEAST_SEEN = 1e-3, 1e-3  # share of x's energy below which A sees all; least value then
ENOUGH = 512  # pixels a side of a picture that noise is measured on
PLACE, LOUDEST = 16, 0.9  # pixels a side of a place, and the quantile of noise that is loud
STORED, SOME = 0.99, 0.05  # share of a colour's energy from which it is seen, and that of the rest


class Seen(NamedTuple):
    """How y's noise arrives in x."""

    std: float  # of all of x where A sees that, else where it sees most, [-1, 1] units
    even: float  # 0..1
    whole: bool  # whether A sees all of x
    part: bool = False  # whether the noise is in a part of x, and next to none in the rest
    stored: bool = False  # whether a codec kept less of colours; noise is more than its own
    peak: float = 1.0  # times std is it at loud places, if A sees all of x
    rounded: bool = False  # whether y's noise is what a codec rounded, and hardly more


def seen(A: Operator, y: Tensor) -> Seen:
    """How y's noise arrives in x, measured on one white picture.

    Args:
        A: the degradation; if it is not linear, its noise counts as that of x.
        y: a measurement [B, ...], for its shape.
    """
    linear = A.linear() if isinstance(A, AffineOperator) else A
    if not isinstance(linear, LinearOperator):
        return Seen(A.sigma_y, 0.0, False)

    # What holds nothing of a picture's size is the same on a part of it.
    channels, *sides = A.x_shape(y)[1:]
    if A.any_size and len(sides) == 2:
        most = ENOUGH // A.divisor * A.divisor
        sides = [min(side, most) for side in sides]
    z = Noise([0], "start").like(y.new_empty((1, channels, *sides)))
    there = linear(z)
    back = linear.adjoint(there)
    n, m2, m4 = (float(v.square().sum()) for v in (z, there, back))
    if m4 == 0:
        return Seen(A.sigma_y, 0.0, False)
    std, even = A.sigma_y * (m2 / m4) ** 0.5, min(1.0, m2**2 / (m4 * n))

    # With all of x seen, A^+ A z is z.
    noisy = getattr(A, "beyond_rounding", None)
    rounded = noisy is False
    if not linear.offers("spectral") or there.shape != z.shape:
        return Seen(std, even, False)
    kept = linear.pinv(there)
    unseen = float((kept - z).square().sum())
    if unseen > UNSEEN * n:
        stored = bool(noisy) and one_colour(kept, z)
        return Seen(std, even, False, stored=stored, rounded=rounded)
    loud = loudest(cast(SpectralOperator, linear), z) if even <= EVEN else None
    if loud is not None:
        return Seen(A.sigma_y * loud, 1.0, True, True)
    noise = linear.pinv(z)
    peak = peak_of(noise) if even <= EVEN else 1.0
    std = A.sigma_y * (float(noise.square().sum()) / n) ** 0.5
    return Seen(std, even, True, peak=peak, rounded=rounded)


def peak_of(noise: Tensor) -> float:
    """How many times stronger noise [B, C, H, W] is at loud places than all over."""
    side = min(PLACE, *noise.shape[-2:])
    power = F.avg_pool2d(noise.square().mean(1, keepdim=True), side).flatten().cpu()
    return float((power.quantile(LOUDEST) / power.mean()).sqrt().clamp_min(1))


def one_colour(kept: Tensor, z: Tensor) -> bool:
    """Whether of white z [1, 3, H, W] all of one colour is kept, and some of each other."""
    if z.shape[1] != 3:
        return False
    kept, z = (p[0].flatten(1).double().cpu() for p in (kept, z))
    shares = torch.linalg.eigvals(torch.linalg.solve(z @ z.T, z @ kept.T)).real
    return bool(shares.max() > STORED and SOME < shares.min() < STORED)


def loudest(A: SpectralOperator, z: Tensor) -> float | None:
    """1 / d where A is faintest, if elsewhere it tells next to all; else None.

    Args:
        A: sees all of x.
        z: a white picture [1, 3, H, W].
    """

    def trace(k: int) -> float:
        """tr(d^-2k), as z has it."""
        return float(A.spectral(z, lambda d: d.clamp_min(LEAST_SEEN) ** -k).square().sum())

    v1, v2, v3 = trace(1), trace(2), trace(3)
    return (v2 / v1) ** 0.5 if v2**2 > EVEN * v1 * v3 else None
