"""How wrong a JPEG is, from its own coefficients.

k  = round(c / q)        codes; b = E |q k|, the width of a Laplacian (Lam and Goodman, A
                         mathematical analysis of the DCT coefficient distributions, 2000)
k != 0:   the error is uniform, of variance q^2 / 12
k = 0:    it is the coefficient itself, Laplacian within (-q/2, q/2)
"""

from collections.abc import Sequence

import torch
from torch import Tensor

FALL = 1.5  # amplitudes of a photo's coefficients fall with frequency to this power
SEEN = 0.25  # mean size of codes from which it tells a coefficient's width


def error_variances(codes: Sequence[Tensor], steps: Tensor) -> Tensor:
    """The variance of the error of each plane's coefficients, in levels^2, [planes, 8, 8].

    Args:
        codes: k of each plane, [..., 8, 8].
        steps: q [planes, 8, 8], in levels.
    """
    variances = []
    for k, q in zip(codes, steps.to(codes[0]), strict=True):
        k = k.flatten(0, -3)
        zero = (k == 0).to(q).mean(0)
        variances.append(zero * variance_at_zero(k, q) + (1 - zero) * q**2 / 12)
    return torch.stack(variances)


def variance_at_zero(k: Tensor, q: Tensor) -> Tensor:
    """The variance [8, 8] of coefficients whose codes k [N, 8, 8] are 0.

    Where codes are seldom anything but 0 the width goes on falling as it does in photos.
    """
    n = torch.arange(q.shape[-1], device=q.device)
    order = (n[:, None] ** 2 + n**2).to(q).clamp_min(1) ** (FALL / 2)

    # The mean of a block is not of the other coefficients' kind.
    mean = k.abs().mean(0)
    seen = mean >= SEEN
    seen[0, 0] = False
    level = (mean * q * order)[seen].mean() if seen.any() else (SEEN * q * order).min()
    width = torch.where(mean >= SEEN, mean * q, level / order).clamp_min(1e-6)

    # The second moment of a Laplacian that is cut off.
    a = q / (2 * width)
    inside = 2 * (1 - (-a).exp() * (1 + a + a**2 / 2)) / (1 - (-a).exp())
    return (width**2 * inside).minimum(q**2 / 12)
