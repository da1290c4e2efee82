"""Our own: what y says is anchored, what it does not say is drawn afresh at every step.

    times   from what the first guess leaves open to what y's noise leaves open (samplers/start),
            even in sqrt(t)
    rho     = trust sigma_y^2 a_t / (1 - a_t)
    lam     = min(d^2 / (d^2 + rho), d sigma_s / (sqrt(a_s) sigma_y))
              by singular value d; 1 where sigma_y = 0
    x0_hat  = x0 - lam A^+ (A x0 - y)                 DDNM's projection, damped as DiffPIR's prox
    x_s     = sqrt(a_s) x0_hat + sqrt(sigma_s^2 - a_s (lam sigma_y / d)^2) z,  sigma_s^2 = 1 - a_s
              and where d = 0, sigma_s (sqrt(1 - eta^2) eps + eta z)

The first bound weighs y against the prior's estimate, the second keeps the noise that y brings
below x_s's own: y's noise counts as x_s's. DDNM+ has the second alone, and part of the old noise
in place of z, which hands on the network's errors. Without singular values x0_hat is the proximal
step, whose rho is large enough for the second bound, and its noise is measured on a random y. The
last step weighs y against x0 by the error that an estimate has, not by its noise.

Where the guess is near (its error below NEAR at all scales) there is more to refine than to invent:
the start is at NEAR_START of its error in place of 2, and what is drawn is `fresh` sigma_s z in
place of all that the network is told of, so that it removes more noise than was put in: errors of
the estimate are noise as well. Where A is blind the guess is not to be trusted so far.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import LinearOperator, Operator, SpectralOperator
from samplers.base import Sampler
from samplers.guide.guidance import Guidance
from samplers.problem import has_unknowns

NEAR = 1.0  # error of a guess, [-1, 1] units, below which it is near
NEAR_START = 0.8  # times that error is the noise to start from
ERROR_SHARE = 0.35  # of the noise that x0 was made from, by which an estimate x0 is wrong
WIDEST = 0.5  # std of photos, [-1, 1] units: no estimate is worse
PROBE = 48  # pixels a side, times the operator's divisor, of the y that noise is measured on


@dataclass(kw_only=True)
class Anchored(Sampler):
    """The default for operators that are linear or have a proximal map.

    Args:
        trust: weighs the prior against y.
        eta: where the guess is far, share of fresh noise in what A does not see.
        fresh: where it is near, the new noise as a share of what the network is told of.
        quality: terms for x0 besides y (samplers/guide/losses.py), minus log-probabilities: a
            gradient step as long as x0's variance.
    """

    needs: ClassVar = ("prox",)
    consistent: ClassVar = True
    trust: float = 0.3
    eta: float = 0.94
    fresh: float = 0.4
    quality: Guidance | None = None
    schedule: Schedule = field(
        default_factory=lambda: Schedule(20, start="auto", spacing="squared", end="auto")
    )

    def hides(self, A: Operator, error: float) -> float:
        """The noise to start from where a guess has this error."""
        if error < NEAR and not has_unknowns(A):
            return NEAR_START * error
        return super().hides(A, error)

    def near(self, A: Operator, prior: Prior, top: int) -> bool:
        """Whether a guess was near that is hidden by the noise of time `top`."""
        return prior.sigma(top) < NEAR and not has_unknowns(A)

    def noised(self, prior: Prior, A: Operator, x: Tensor, t: int, noise: Noise) -> Tensor:
        """The state at t from a first picture x [B, C, H, W]."""
        if self.near(A, prior, t):
            return self.redraw(prior, x, t, noise)
        return super().noised(prior, A, x, t, noise)

    def redraw(self, prior: Prior, x0: Tensor, t: int, noise: Noise) -> Tensor:
        """sqrt(a_t) x0 + fresh sigma_t z."""
        a = prior.a(t)
        return x0 if t == 0 else a**0.5 * x0 + self.fresh * (1 - a) ** 0.5 * noise.like(x0)

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: LinearOperator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        eps, x0, _ = prior(x, t)
        near = self.near(A, prior, memory.setdefault("top", t))
        if self.quality is not None:
            std = min(ERROR_SHARE * prior.sigma(t), WIDEST)
            x0 = x0 - std**2 * self.quality.gradient(x0.clamp(-1, 1), y, A)

        # Without noise y is put in as it is.
        if A.sigma_y == 0:
            x0_hat = x0 - A.pinv(A(x0) - y)
            if near:
                return self.redraw(prior, x0_hat, s, noise), x0_hat
            return prior.ddim(x0_hat, eps, s, self.eta, noise), x0_hat

        # With noise y and x0 are weighed, at the end by the error of x0.
        rho = A.sigma_y**2 * prior.a(t) / (1 - prior.a(t))
        if s == 0:
            x0_hat = A.prox(x0, y, rho / ERROR_SHARE**2)
            return x0_hat, x0_hat
        rho, a = self.trust * rho, prior.a(s)
        if A.offers("spectral"):
            spectral = cast(SpectralOperator, A)
            return self.by_singular_value(x0, eps, rho, a, spectral, y, noise, near)
        return self.by_proximal_step(x0, rho, a, A, y, noise, near)

    def by_singular_value(
        self,
        x0: Tensor,
        eps: Tensor,
        rho: float,
        a: float,
        A: SpectralOperator,
        y: Tensor,
        noise: Noise,
        near: bool,
    ) -> tuple[Tensor, Tensor]:
        """x_s and x0_hat; a is that of s."""
        share, new, old = (1.0, self.eta, (1 - self.eta**2) ** 0.5)
        if near:
            share, new, old = (self.fresh, self.fresh, 0.0)

        def lam(d: Tensor) -> Tensor:
            return (d**2 / (d**2 + rho)).minimum(d * (1 / a - 1) ** 0.5 / A.sigma_y)

        def fresh(d: Tensor) -> Tensor:
            brought = a * (lam(d) * A.sigma_y / torch.where(d > 0, d, 1.0)) ** 2
            rest = share**2 * (1 - a) - brought
            return torch.where(d > 0, rest.clamp_min(0).sqrt(), new * (1 - a) ** 0.5)

        def old_noise(d: Tensor) -> Tensor:
            return torch.where(d > 0, 0.0, old * (1 - a) ** 0.5)

        x0_hat = x0 - A.spectral(A.pinv(A(x0) - y), lam)
        x = a**0.5 * x0_hat + A.spectral(noise.like(x0), fresh)
        return (x + A.spectral(eps, old_noise) if old else x), x0_hat

    def by_proximal_step(
        self,
        x0: Tensor,
        rho: float,
        a: float,
        A: LinearOperator,
        y: Tensor,
        noise: Noise,
        near: bool,
    ) -> tuple[Tensor, Tensor]:
        """x_s and x0_hat, where the noise that y brings is taken for white.

        It is at most sigma_y / (2 sqrt(rho)), and measured on a small y.
        """
        rho = max(rho, A.sigma_y**2 * a / (4 * (1 - a)))
        side = PROBE * A.divisor
        small = torch.zeros_like(x0[:1, :, :side, :side])
        probe = A.sigma_y * Noise([0]).like(A(small))
        brought = A.prox(small, probe, rho).square().mean()

        x0_hat = A.prox(x0, y, rho)
        share = self.fresh if near else 1.0
        std = (share**2 * (1 - a) - a * brought).clamp_min(0).sqrt()
        return a**0.5 * x0_hat + std * noise.like(x0), x0_hat
