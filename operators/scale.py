"""The same degradation of a picture 1 / r as high and wide: what `at_scale(r, y)` is made with.

y_r      = y at 1 / r of its sides, by the mean over what each coarse pixel covers
sigma_r  = sigma_y / r, what a mean over r x r pixels leaves of white noise
"""

from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor

from operators.base import Operator

AnyOperator = TypeVar("AnyOperator", bound=Operator)


def shrink(y: Tensor, r: int) -> Tensor:
    """y [B, C, H, W] at 1 / r of its sides, at least one pixel each."""
    H, W = (max(1, n // r) for n in y.shape[-2:])
    return F.adaptive_avg_pool2d(y, (H, W))


def same_at_scale(A: AnyOperator, r: int, y: Tensor) -> tuple[AnyOperator, Tensor]:
    """`at_scale` of an operator that is the same at every scale."""
    return A.with_noise(A.sigma_y / r), shrink(y, r)


def shrink_known(y: Tensor, known: Tensor, r: int, least: float) -> tuple[Tensor, Tensor, float]:
    """Shrink a picture of which only some values count.

    Args:
        y: [B, C, H, W].
        known: 1 where y counts and 0 elsewhere; it broadcasts against y.
        r: the factor.
        least: a coarse pixel is known if this share of what it covers is.

    Returns:
        The means of known values, 0 at coarse pixels that are not known; which coarse pixels are
        known (1); and what the noise of every one of them is divided by at least.
    """
    share = shrink(known.expand_as(y), r)
    enough = (share >= least).to(y)
    mean = shrink(known * y, r) / share.clamp_min(1e-6)

    # Noise shrinks with the root of how many values are averaged; some pixels have the fewest.
    fewest = float(share[enough > 0].min()) * r**2
    noise = max(fewest, 1.0) ** -0.5
    return enough * mean, enough, 1 / noise


def enlarged_shape(y: Tensor, r: int) -> tuple[int, ...]:
    """The shape of y [B, C, h, w], r times as high and wide."""
    B, C, h, w = y.shape
    return (B, C, h * r, w * r)


def split_factor(R: int, r: int, y: Tensor) -> tuple[int, Tensor, int]:
    """At 1 / r of the size of an x that is R times larger than y: what is left to enlarge.

    Returns:
        The factor left, y as it has to shrink for that, and by how much it did.
    """
    if R % r and r % R:
        raise ValueError(
            f"a picture that is to be enlarged {R} times has no common scale with 1/{r}; "
            f"take a divisor or a multiple of {R}"
        )

    # Where x becomes smaller than y is, y shrinks too.
    extra = max(1, r // R)
    return max(1, R // r), shrink(y, extra), extra
