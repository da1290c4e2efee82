"""GDP's blind low-light code as released, for parity alone; `operators.light` does it better.

Per corner (h, w) of 256 x 256 patches at stride 128, the last row and column of patches always
appended, even where they repeat others, with f and m from before the step:

    u = (clip(x0) + 1) / 2,   res = u f + m - y,   K = 2 / (3 256^2)
    mean' = mean - scale K res f,   f' = f - sum K res u,   m' = m - K sum_c res

then means over patches, the log-variance among them; f is the plain mean over patches. The quality
losses are the product's own, samplers/guide/released.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gdp.prior.diffusion import learned_variance
from gdp.prior.prior import Prior

# Pixels a side of a patch, and between the corners of two
PATCH, STRIDE = 256, 128


class State(NamedTuple):
    """x_s, f and m after a step."""

    x: Tensor
    f: Tensor
    m: Tensor


def corners(n: int) -> list[int]:
    """List where patches begin along a side of n pixels."""
    return [*range(0, n - PATCH + 1, STRIDE), n - PATCH]


def guided(
    x0: Tensor, y: Tensor, f: Tensor, m: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the guidance of a patch.

    Args:
        x0: the network's estimate [1, 3, H, W] in [-1, 1].
        y: the photo [1, 3, H, W] in [0, 1].
        f: light factor.
        m: light mask [H, W].
        scale: of the guidance.

    Returns:
        The gradient that shifts the mean, one time; f and m after it.
    """
    K, u = 2 / x0[0].numel(), (x0 + 1) / 2
    res = u * f + m - y
    return -scale * K * res * f / 2, f - (K * res * u).sum(), m - K * res.sum((0, 1))


def step(
    prior: Prior,
    x: Tensor,
    times: Sequence[int],
    k: int,
    y: Tensor,
    state: State,
    scale: float,
    noise: Tensor,
) -> State:
    """Go from times[k] to the time before it, patch by patch."""
    t, s = times[k], times[k - 1] if k else 0
    total, log_variance, m_total, count = (torch.zeros_like(z) for z in (x, x, state.m, state.m))
    factors = []

    # Sums over patches
    for top in corners(x.shape[-2]):
        for left in corners(x.shape[-1]):
            here = (..., slice(top, top + PATCH), slice(left, left + PATCH))
            _, x0, v = prior(x[here], t)
            assert v is not None

            # The mean, and the pull of the photo
            x0 = x0.clamp(-1, 1)
            mean, _ = prior.posterior(x[here], x0, t, s, None)
            pull, f, m = guided(x0, y[here], state.f, state.m[here], scale)
            total[here] += mean + 2 * pull  # the released code adds it twice

            # The learned variance
            if s:
                beta = 1 - prior.a(t) / prior.a(s)
                log_variance[here] += learned_variance(
                    v, beta, beta * (1 - prior.a(s)) / (1 - prior.a(t))
                ).log()

            m_total[here] += m
            count[here] += 1
            factors.append(f)

    # Means over patches, and noise
    x = total / count
    if s:
        x = x + (0.5 * log_variance / count).exp() * noise
    return State(x, torch.stack(factors).mean(0), m_total / count)
