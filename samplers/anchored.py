"""Our own: what y tells is anchored, what it does not tell is drawn afresh at every step, and y's noise counts as x_s's.

    times   from what the first guess leaves open to what y's noise leaves open (samplers/start/late.py), even in sqrt(t)
    rho     = trust sigma_y^2 a_t / (1 - a_t)
    lam     = min(d^2 / (d^2 + rho), d sigma_s / (sqrt(a_s) sigma_y))                   by singular value d; 1 where sigma_y = 0
    x0_hat  = x0 - lam A^+ (A x0 - y)                                                   DDNM's projection, damped as DiffPIR's prox
    x_s     = sqrt(a_s) x0_hat + sqrt(sigma_s^2 - a_s (lam sigma_y / d)^2) z            sigma_s^2 = 1 - a_s
              and where d = 0, sigma_s (sqrt(1 - eta^2) eps + eta z)

The first bound weighs y against the prior's estimate, the second keeps the noise that y brings below x_s's own; DDNM+ has the second alone,
and part of the old noise in place of z, which hands on the network's errors. Without singular values x0_hat is the proximal step, whose
rho is large enough for the second bound, and its noise is measured on a random y. The last step weighs y against x0 by the error that an
estimate has, not by its noise.

Where the guess is near (its error below NEAR at all scales) there is more to refine than to invent: the start is at 0.8 of its error in
place of 2, and what is drawn is `fresh` sigma_s z in place of all that the network is told of, so that it removes more noise than was
put in: errors of the estimate are noise as well. Where A is blind the guess is not to be trusted so far.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import Operator
from samplers.base import Sampler
from samplers.guide.guidance import Guidance

PROBE = 48  # pixels, times the operator's divisor
ERROR = 0.35  # of an estimate x0, as a share of the noise it was made from
WIDEST = 0.5  # std of photos
NEAR = 1.0  # error of a guess, [-1, 1] units


@dataclass(kw_only=True)
class Anchored(Sampler):
    """`trust` weighs the prior against y; `fresh` is the new noise where the guess is near, as a share of what the network is told of.

    Where the guess is far, `eta` < 1 keeps part of the old noise in what A does not see.
    `quality` are terms for x0 besides y (samplers/guide/losses.py), minus log-probabilities: a gradient step as long as x0's variance.
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
        return 0.8 * error if error < NEAR and not fitted(A) else super().hides(A, error)

    def near(self, A: Operator, prior: Prior, top: int) -> bool:
        """Whether a guess was near that is hidden by the noise of time `top`."""
        return prior.sigma(top) < NEAR and not fitted(A)

    def noised(self, prior: Prior, A: Operator, x: Tensor, t: int, noise: Noise) -> Tensor:
        return (
            self.drawn(prior, x, t, noise)
            if self.near(A, prior, t)
            else super().noised(prior, A, x, t, noise)
        )

    def drawn(self, prior: Prior, x0: Tensor, t: int, noise: Noise) -> Tensor:
        """sqrt(a_t) x0 + fresh sigma_t z."""
        a = prior.a(t)
        return x0 if t == 0 else a**0.5 * x0 + self.fresh * (1 - a) ** 0.5 * noise.like(x0)

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: Any,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        eps, x0, _ = prior(x, t)
        near = self.near(A, prior, memory.setdefault("top", t))
        if self.quality is not None:
            x0 = x0 - min(ERROR * prior.sigma(t), WIDEST) ** 2 * self.quality.gradient(
                x0.clamp(-1, 1), y, A
            )
        if A.sigma_y == 0:
            x0_hat = x0 - A.pinv(A(x0) - y)
            return (
                self.drawn(prior, x0_hat, s, noise)
                if near
                else prior.ddim(x0_hat, eps, s, self.eta, noise)
            ), x0_hat
        rho = A.sigma_y**2 * prior.a(t) / (1 - prior.a(t))
        if s == 0:
            x0_hat = A.prox(x0, y, rho / ERROR**2)
            return x0_hat, x0_hat
        draw = self.by_singular_value if hasattr(A, "spectral") else self.by_proximal_step
        return draw(x0, eps, self.trust * rho, prior.a(s), A, y, noise, near)

    def by_singular_value(
        self,
        x0: Tensor,
        eps: Tensor,
        rho: float,
        a: float,
        A: Any,
        y: Tensor,
        noise: Noise,
        near: bool,
    ) -> tuple[Tensor, Tensor]:
        """x_s and x0_hat."""
        share, new, old = (
            (self.fresh, self.fresh, 0.0) if near else (1.0, self.eta, (1 - self.eta**2) ** 0.5)
        )

        def lam(d: Tensor) -> Tensor:
            return (d**2 / (d**2 + rho)).minimum(d * (1 / a - 1) ** 0.5 / A.sigma_y)

        def fresh(d: Tensor) -> Tensor:
            rest = share**2 * (1 - a) - a * (lam(d) * A.sigma_y / torch.where(d > 0, d, 1.0)) ** 2
            return torch.where(d > 0, rest.clamp_min(0).sqrt(), new * (1 - a) ** 0.5)

        def kept(d: Tensor) -> Tensor:
            return torch.where(d > 0, 0.0, old * (1 - a) ** 0.5)

        x0_hat = x0 - A.spectral(A.pinv(A(x0) - y), lam)
        x = a**0.5 * x0_hat + A.spectral(noise.like(x0), fresh)
        return (x + A.spectral(eps, kept) if old else x), x0_hat

    def by_proximal_step(
        self,
        x0: Tensor,
        eps: Tensor,
        rho: float,
        a: float,
        A: Any,
        y: Tensor,
        noise: Noise,
        near: bool,
    ) -> tuple[Tensor, Tensor]:
        """x_s and x0_hat; the noise that y brings, at most sigma_y / (2 sqrt(rho)), is taken for white and measured on a small y."""
        rho = max(rho, A.sigma_y**2 * a / (4 * (1 - a)))
        small = torch.zeros_like(x0[:1, :, : PROBE * A.divisor, : PROBE * A.divisor])
        brought = A.prox(small, A.sigma_y * Noise([0]).like(A(small)), rho).square().mean()
        x0_hat = A.prox(x0, y, rho)
        share = self.fresh if near else 1.0
        return a**0.5 * x0_hat + (share**2 * (1 - a) - a * brought).clamp_min(
            0
        ).sqrt() * noise.like(x0), x0_hat


def fitted(A: Operator) -> bool:
    """Whether something of A is found along with the picture."""
    return any(True for _ in A.parameters())
