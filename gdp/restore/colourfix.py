"""Colours held to what y tells of them, for tasks where those of the input are the truth.

    c(y)      = low(A^+ y), or low(prox y) where y is noisy                         low frequencies of what y tells of x
    wavelet   x + c(y - A x)                                    as in StableSR (Wang et al., 2023): for A = I, x - low(x) + low(y)
    adain     (x - m(c(A x))) s(c(y)) / s(c(A x)) + m(c(y))     mean m and std s of each channel (Huang & Belongie, 2017)

What A does not see, such as a hole, counts in neither.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gdp.picture.image import to_image, to_model

CONTRAST = 0.25  # std of what may be wrong with a picture, [-1, 1] units
LEVELS = 5  # of the a trous wavelet: low is a blur of about 13 pixels


def colours(A: Any, y: Tensor) -> Tensor:
    """c(y) [B, C, H, W]."""
    if A.sigma_y == 0:
        return low(A.pinv(y))
    return low(A.prox(y.new_zeros(A.x_shape(y)), y, (A.sigma_y / CONTRAST) ** 2))


def wavelet(x: Tensor, A: Any, y: Tensor) -> Tensor:
    """x [B, C, H, W] with y's low frequencies."""
    return x + colours(A, y - A(x))


def adain(x: Tensor, A: Any, y: Tensor) -> Tensor:
    """x with the mean and the contrast that y has, channel by channel."""
    seen, told = colours(A, A(x)), colours(A, y)
    spread, wanted = (c.std((-2, -1), keepdim=True, correction=0) for c in (seen, told))
    scale = torch.where(spread > 1e-4, wanted / spread.clamp_min(1e-4), 1.0)
    return (x - seen.mean((-2, -1), keepdim=True)) * scale + told.mean((-2, -1), keepdim=True)


FIXES: dict[str, Callable[[Tensor, Any, Tensor], Tensor]] = {"wavelet": wavelet, "adain": adain}


def fixed(kind: str, pixels: Tensor, operator: Any, y: Tensor) -> Tensor:
    """Pixels in [0, 1] after the fix of this name; y in model units."""
    A, given = operator, y
    if hasattr(operator, "linear"):
        A = operator.linear()
        given = y - operator.offset(y)
    with torch.no_grad():
        return to_image(FIXES[kind](to_model(pixels), A, given))


def check(kind: str, operator: Any) -> None:
    """ValueError unless it is none or a fix; TypeError unless A^+ is at hand."""
    if kind == "none":
        return
    if kind not in FIXES:
        raise ValueError(f"colourfix={kind}; it is none, {' or '.join(FIXES)}")
    if not hasattr(operator, "pinv") and not hasattr(operator, "linear"):
        raise TypeError(
            f"colourfix={kind} needs operator.pinv, which {type(operator).__name__} does not have; take colourfix=none"
        )


def low(x: Tensor) -> Tensor:
    """Blurred by (1, 2, 1) / 4 at distances of 1, 2, 4 ... pixels, borders replicated."""
    for level in range(LEVELS):
        for axis in (-1, -2):
            d, n = 2**level, x.shape[axis]
            i = torch.arange(n, device=x.device)
            x = (
                x / 2
                + (
                    x.index_select(axis, (i - d).clamp_min(0))
                    + x.index_select(axis, (i + d).clamp_max(n - 1))
                )
                / 4
            )
    return x
