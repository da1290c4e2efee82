"""What `anchored` makes of x0 and y: the next noisy state, and the last picture.

    x_s     = sqrt(a_s) x0_hat + sqrt(share^2 sigma_s^2 - a_s (lam sigma_y / d)^2) z
    last    = x0 - lam A^+ (A x0 - y),  lam = p / (p + 1 / (ERROR_SHARE sigma_t)^2)
              p = d^2 / sigma_y^2 - 1 / sigma_t^2, not below 0: how much more y says than x_t, of
              which x0 was made

Where y's noise is the noise of x_t, p is 0: x0 is the posterior mean already.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from operators.base import LinearOperator, SpectralOperator
from samplers.start import seen

ERROR_SHARE = 0.35  # of the noise that x0 was made from, by which an estimate x0 is wrong
PROBE = 48  # pixels a side, times the operator's divisor, of the y that noise is measured on


class Shares(NamedTuple):
    """What x_s's noise is made of, in shares of what the network is told of."""

    whole: float  # where y is seen, y's own noise included
    new: float  # where it is not seen: drawn afresh
    old: float  # and the network's estimate of what x_t had


def by_singular_value(
    x0: Tensor,
    eps: Tensor,
    rho: float,
    a: float,
    A: SpectralOperator,
    y: Tensor,
    noise: Noise,
    shares: Shares,
) -> tuple[Tensor, Tensor]:
    """x_s and x0_hat, each singular value by itself.

    Args:
        x0, eps: the network's, [B, C, H, W].
        rho: weighs x0 against y; above 0.
        a: alpha_bar of s.
        A: the degradation, with y's noise.
        y: the measurement.
        noise: where new noise comes from.
        shares: what x_s's noise is made of.
    """

    def lam(d: Tensor) -> Tensor:
        return (d**2 / (d**2 + rho)).minimum(d * (1 / a - 1) ** 0.5 / A.sigma_y)

    def fresh(d: Tensor) -> Tensor:
        brought = a * (lam(d) * A.sigma_y / torch.where(d > 0, d, 1.0)) ** 2
        rest = shares.whole**2 * (1 - a) - brought
        return torch.where(d > 0, rest.clamp_min(0).sqrt(), shares.new * (1 - a) ** 0.5)

    def old_noise(d: Tensor) -> Tensor:
        return torch.where(d > 0, 0.0, shares.old * (1 - a) ** 0.5)

    x0_hat = x0 - A.spectral(A.pinv(A(x0) - y), lam)
    x = a**0.5 * x0_hat + A.spectral(noise.like(x0), fresh)
    return (x + A.spectral(eps, old_noise) if shares.old else x), x0_hat


def by_proximal_step(
    x0: Tensor,
    rho: float,
    a: float,
    A: LinearOperator,
    y: Tensor,
    noise: Noise,
    share: float,
) -> tuple[Tensor, Tensor]:
    """x_s and x0_hat, where the noise that y brings is taken for white.

    It is at most sigma_y / (2 sqrt(rho)), and measured on a small y where A takes one. Arguments
    are those of `by_singular_value`; share is x_s's noise as one of what the network is told of.
    """
    rho = max(rho, A.sigma_y**2 * a / (4 * (1 - a)))
    side = PROBE * A.divisor
    small = torch.zeros_like(x0[:1, :, :side, :side] if A.any_size else x0[:1])
    plain = A(small)
    probe = A.sigma_y * Noise([0]).like(plain)
    brought = (A.prox(small, plain + probe, rho) - A.prox(small, plain, rho)).square().mean()

    x0_hat = A.prox(x0, y, rho)
    std = (share**2 * (1 - a) - a * brought).clamp_min(0).sqrt()
    return a**0.5 * x0_hat + std * noise.like(x0), x0_hat


def agreeing_exactly(x0: Tensor, A: LinearOperator, y: Tensor) -> Tensor:
    """The picture nearest to x0 [B, C, H, W] that A maps to y, which has no noise."""
    if A.offers("pinv") or not A.offers("project"):
        return x0 - A.pinv(A(x0) - y)
    return A.project(x0, y)


def last(x0: Tensor, A: LinearOperator, y: Tensor, sigma: float) -> Tensor:
    """The last picture: x0 [B, C, H, W] with what y says beyond x_t, whose noise was sigma."""
    rho = (A.sigma_y / sigma) ** 2
    if A.offers("spectral") and isinstance(A, SpectralOperator):

        def lam(d: Tensor) -> Tensor:
            beyond = (d**2 - rho).clamp_min(0)
            return beyond / (beyond + rho / ERROR_SHARE**2)

        return x0 - A.spectral(A.pinv(A(x0) - y), lam)

    beyond = max(0.0, 1 - (seen(A, y).std / sigma) ** 2)
    return x0 if beyond == 0 else x0 + beyond * (A.prox(x0, y, rho / ERROR_SHARE**2) - x0)
