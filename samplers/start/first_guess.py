"""The first guess of x: the smoothest picture that agrees with y, or the one of least variation."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator
from operators.tools.solve import cg

# By how much the guess is smoothed, one after the other: coarse to fine.
FACTORS = (16, 16, 8, 8, 4, 4, 2, 2)

# How far a photo's values are from 0, so that nothing is darkened, and from their smooth.
WIDE, NARROW = 2.0, 0.25  # std, [-1, 1] units

# The least weight of smoothness beside y, and the iterations that find the smoothest picture.
STIFF, SMOOTHING = 1e-3, 200

# The search for the least variation.
ROUNDS = 200  # iterations
STRIDE = 0.2  # of one
EDGE = 0.06  # a photo's mean gradient, [-1, 1] units


def first_guess(A: Operator, y: Tensor) -> Tensor:
    """Guess x [B, C, H, W] from y alone.

    The smoothest picture that agrees with y, coarse to fine, by Papoulis and Gerchberg's iteration:
    smooth, then put y in again by A^+ (or the proximal step where y is noisy). What A leaves open
    is filled from what lies around it, where A^+ y would have 0. Where A spreads every pixel over
    all of y there is nothing around, and the picture of least variation is taken. A's own `guess`
    goes before all; of a row of operators that can be undone, the parts' do, from the last to the
    first; else, where A is not linear, it is y itself, resized; or grey, where y is no picture.
    """
    if isinstance(A, AffineOperator):
        return first_guess(A.linear(), y - A.offset(y))
    if A.offers("guess"):
        return A.guess(y)
    if A.offers("stages"):
        for part in reversed(cast(Any, A).stages(y)):
            y = first_guess(part, y)
        return y
    shape = A.x_shape(y)
    if not isinstance(A, LinearOperator):
        if A.measured or y.ndim != 4 or y.shape[1] not in (1, shape[1]):
            return y.new_zeros(shape)
        return (
            F.interpolate(y, shape[-2:], mode="bicubic", align_corners=False)
            .expand(shape)
            .contiguous()
        )

    if A.spreads:
        return least_variation(A, y)
    if A.measured:
        return smoothest(A, y)
    x = agreeing(A, y.new_zeros(shape), y, WIDE)
    H, W = x.shape[-2:]
    factors = FACTORS if A.offers("spectral") else FACTORS[::2]  # iterated inverses cost more
    for factor in factors[-1:] if A.fine else factors:
        small = F.interpolate(x, (max(1, H // factor), max(1, W // factor)), mode="area")
        mode = "bicubic" if min(small.shape[-2:]) > 3 else "bilinear"
        smooth = F.interpolate(small, (H, W), mode=mode, align_corners=False)
        x = agreeing(A, smooth, y, NARROW)
    return x


def agreeing(A: Operator, v: Tensor, y: Tensor, std: float) -> Tensor:
    """The picture next to v that agrees with y as far as y's noise allows.

    Args:
        A: the degradation.
        v: a picture [B, C, H, W]; itself where A is not linear.
        y: the measurement.
        std: of v's error, [-1, 1] units.
    """
    if isinstance(A, AffineOperator):
        return agreeing(A.linear(), v, y - A.offset(y), std)
    if not isinstance(A, LinearOperator):
        return v
    return A.prox(v, y, (A.sigma_y / std) ** 2) if A.sigma_y > 0 else v - A.pinv(A(v) - y)


def smoothest(A: LinearOperator, y: Tensor) -> Tensor:
    """The picture of least squared gradient that agrees with y as far as y's noise allows.

    By conjugate gradients, for measurements of few of x's values, which smoothing and putting y in
    again would take long to fill. Neighbouring bands of many are to be alike, too.
    """
    weight = max((A.sigma_y / NARROW) ** 2, STIFF)

    def curved(x: Tensor) -> Tensor:
        out = -divergence(gradient(x))
        if x.shape[1] > 3:
            d = x.diff(dim=1)
            out = out + F.pad(d, (0, 0, 0, 0, 1, 0)) - F.pad(d, (0, 0, 0, 0, 0, 1))
        return A.adjoint(A(x)) + weight * out

    return cg(curved, A.adjoint(y), SMOOTHING, 1e-3)


def least_variation(
    A: LinearOperator, y: Tensor, edge: float = EDGE, rounds: int = ROUNDS
) -> Tensor:
    """The picture of least total variation, over all channels, that agrees with y.

    (Rudin, Osher & Fatemi, 1992.) Where y is noisy, the likeliest if gradients are Laplacian with
    the mean `edge`, [-1, 1] units a pixel. By the primal-dual iteration of Chambolle & Pock
    (2011), Algorithm 1.
    """
    x = extrapolated = A.pinv(y)
    p = x.new_zeros(2, *x.shape)
    for _ in range(rounds):
        p = p + gradient(extrapolated) / (8 * STRIDE)
        p = p / p.square().sum((0, 2), keepdim=True).sqrt().clamp_min(1)
        moved = agreeing(A, x + STRIDE * divergence(p), y, (edge * STRIDE) ** 0.5)
        x, extrapolated = moved, 2 * moved - x
    return x


def gradient(x: Tensor) -> Tensor:
    """Differences to the next pixel below and to the right, [2, B, C, H, W]; 0 at the end."""
    return torch.stack([F.pad(x.diff(dim=-2), (0, 0, 0, 1)), F.pad(x.diff(dim=-1), (0, 1))])


def divergence(p: Tensor) -> Tensor:
    """Minus the adjoint of `gradient`: [2, B, C, H, W] -> [B, C, H, W]."""
    down, right = p[0][..., :-1, :], p[1][..., :-1]
    vertical = F.pad(down, (0, 0, 0, 1)) - F.pad(down, (0, 0, 1, 0))
    return vertical + F.pad(right, (0, 1)) - F.pad(right, (1, 0))
