"""What operators share to be used at a smaller scale: `at_scale(r, y)` gives the same degradation of a picture 1 / r as high and wide."""

import copy
from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor

from operators.base import Operator

AnyOperator = TypeVar("AnyOperator", bound=Operator)


def shrunk(y: Tensor, r: int) -> Tensor:
    """y at 1 / r of its sides, by the mean over what each coarse pixel covers."""
    H, W = (max(1, n // r) for n in y.shape[-2:])
    return F.adaptive_avg_pool2d(y, (H, W))


def scaled(small: AnyOperator, fine: Operator, r: float) -> AnyOperator:
    """`small` with the noise of `fine` after a mean over r x r pixels."""
    small.sigma_y = fine.sigma_y / r
    return small


def alike(op: AnyOperator, r: int, y: Tensor) -> tuple[AnyOperator, Tensor]:
    """An operator that is the same at every scale."""
    return scaled(copy.copy(op), op, r), shrunk(y, r)


def known_mean(y: Tensor, known: Tensor, r: int, least: float) -> tuple[Tensor, Tensor, float]:
    """Shrinking where only `known` (1 or 0) values of y count.

    Their mean; which coarse pixels are known (1), those of which a share of `least` is; and by how much noise shrinks at least.
    """
    share = shrunk(known.expand_as(y), r)
    kept = (share >= least).to(y)
    mean = shrunk(known * y, r) / share.clamp_min(1e-6)
    fewest = float(share[kept > 0].min()) * r**2
    return kept * mean, kept, max(fewest, 1.0) ** -0.5


def remaining(R: int, r: int, y: Tensor) -> tuple[int, Tensor, int]:
    """For y that is R times smaller than x: the factor left when x shrinks by r, y as it has to shrink then, and by how much it did."""
    if R % r and r % R:
        raise ValueError(
            f"a picture that is to be enlarged {R} times has no common scale with 1/{r}; take a divisor or a multiple of {R}"
        )
    extra = max(1, r // R)
    return max(1, R // r), shrunk(y, extra), extra
