"""Colours held to what y says of them, for tasks where those of the input are the truth.

    c(y)      = low(A^+ y), or low(prox y) where y is noisy     low frequencies that y has of x
    wavelet   x + c(y - A x)                                    as in StableSR (Wang et al., 2023):
                                                                for A = I, x - low(x) + low(y)
    adain     (x - m(c(A x))) s(c(y)) / s(c(A x)) + m(c(y))     mean m and std s of each channel
                                                                (Huang & Belongie, 2017)

What A does not see, such as a hole, counts in neither.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from gdp.picture import to_image, to_model
from operators.base import AffineOperator, LinearOperator, Operator

CONTRAST = 0.25  # std of what may be wrong with a picture's colours, [-1, 1] units
LEVELS = 5  # of the a trous wavelet: `low` is a blur of about 13 pixels


def colours(A: LinearOperator, y: Tensor) -> Tensor:
    """c(y) [B, C, H, W]."""
    if A.sigma_y == 0:
        return low(A.pinv(y))
    return low(A.prox(y.new_zeros(A.x_shape(y)), y, (A.sigma_y / CONTRAST) ** 2))


def wavelet(x: Tensor, A: LinearOperator, y: Tensor) -> Tensor:
    """x [B, C, H, W] with y's low frequencies."""
    return x + colours(A, y - A(x))


def adain(x: Tensor, A: LinearOperator, y: Tensor) -> Tensor:
    """x [B, C, H, W] with the mean and the contrast that y has, channel by channel."""
    now, goal = colours(A, A(x)), colours(A, y)
    contrast, contrast_of_y = (c.std((-2, -1), keepdim=True, correction=0) for c in (now, goal))
    scale = torch.where(contrast > 1e-4, contrast_of_y / contrast.clamp_min(1e-4), 1.0)
    return (x - now.mean((-2, -1), keepdim=True)) * scale + goal.mean((-2, -1), keepdim=True)


FIXES: dict[str, Callable[[Tensor, LinearOperator, Tensor], Tensor]] = {
    "wavelet": wavelet,
    "adain": adain,
}


def fix(kind: str, pixels: Tensor, operator: Operator, y: Tensor) -> Tensor:
    """Mend the colours of a result.

    Args:
        kind: wavelet or adain.
        pixels: the result [B, 3, H, W] in [0, 1].
        operator: A as bound, linear or affine (see `check`).
        y: the measurement in [-1, 1].
    """
    if isinstance(operator, AffineOperator):
        y = y - operator.offset(y)
        operator = operator.linear()
    assert isinstance(operator, LinearOperator)
    with torch.no_grad():
        return to_image(FIXES[kind](to_model(pixels), operator, y))


def check(kind: str, operator: Operator) -> None:
    """Refuse a setting that is no fix, or that the operator does not allow.

    Raises:
        ValueError: `kind` is neither none nor a fix.
        TypeError: the operator is not linear, so there is no A^+.
    """
    if kind == "none":
        return
    if kind not in FIXES:
        raise ValueError(f"colourfix={kind}; it is none, {' or '.join(FIXES)}")
    if not isinstance(operator, LinearOperator | AffineOperator):
        raise TypeError(
            f"colourfix={kind} needs operator.pinv, which {type(operator).__name__} does not have; "
            "take colourfix=none"
        )


def low(x: Tensor) -> Tensor:
    """x blurred by (1, 2, 1) / 4 at distances of 1, 2, 4 ... pixels, borders replicated."""
    for level in range(LEVELS):
        for axis in (-1, -2):
            d, n = 2**level, x.shape[axis]
            i = torch.arange(n, device=x.device)
            before = x.index_select(axis, (i - d).clamp_min(0))
            after = x.index_select(axis, (i + d).clamp_max(n - 1))
            x = x / 2 + (before + after) / 4
    return x
