"""Our own: what y says is anchored, what it does not say is drawn afresh at every step.

    times   from what the first guess leaves open to what y's noise leaves open, even in sqrt(t);
            as few as help (samplers/start/few.py)
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
last step takes of y what it says beyond x_t (samplers/mixing.py).

Where the guess is near (its error below NEAR at all scales) there is more to refine than to invent:
the start is at NEAR_START of its error in place of 2, and what is drawn is `fresh` sigma_s z in
place of all that the network is told of, so that it removes more noise than was put in: errors of
the estimate are noise as well. Where A is blind the guess is not to be trusted so far.

`draws` restorations and `detail` make means of several (samplers/averaged.py). For a draw all three
grow to what they are where the guess is far, with twice the calls, and the end goes on to where y's
noise is hidden. A blind operator has constants between both.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, cast

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from gdp.prior.symmetry import ORIENTATIONS, turn, turn_back
from operators.base import LinearOperator, Operator, SpectralOperator
from samplers.averaged import Averaged
from samplers.guide.guidance import Guidance
from samplers.mixing import Shares, agreeing_exactly, by_proximal_step, by_singular_value, last
from samplers.problem import has_unknowns
from samplers.start import HIDE, Guess, check_calls, few, noise_alone, one_call, seen

NEAR = 1.0  # error of a guess, [-1, 1] units, below which it is near
NEAR_START = 0.8  # times that error is the noise to start from
DRAWN_RATE = 2.0  # times the calls of a mean are those of a draw
FAR_RATE = 1.25  # the most, where a guess is far: more would draw what no one can know
SPREAD_PACE = 2.5  # calls more for each halving, where every pixel is in all of y
STIRRED_DRAWS = 0.8  # the least `stirred` of draws: their mean has less of the noise put in
FRESH_DRAWS = 0.75  # times `fresh` is that of draws: where they differ, their mean is smooth
ALL_OF_Y = 1e-9  # rho of a first state, which takes y as it is


@dataclass(kw_only=True)
class Anchored(Averaged):
    """The default for operators that are linear or have a proximal map.

    Args:
        trust: weighs the prior against y.
        eta: where the guess is far, share of fresh noise in what A does not see.
        fresh: where it is near, the new noise as a share of what the network is told of.
        stirred: the same where y is noisy: what of that noise is in x0 has to be hidden, too.
        rate: with steps=auto, network calls for each halving of the noise.
        draws, detail: see Averaged.
        guidance: terms for x0; those that compare with y are left out, as y is met by itself.
        view: how the picture lies that the network is shown; draws have one after the other.

    Raises:
        ValueError: rate, draws or detail is out of its range.
    """

    needs: ClassVar = ("prox",)
    consistent: ClassVar = True
    trust: float = 0.3
    eta: float = 0.94
    fresh: float = 0.4
    stirred: float = 0.7
    rate: float = 2.5
    guidance: Guidance | None = None
    view: int = 0
    schedule: Schedule = field(
        default_factory=lambda: Schedule("auto", start="auto", spacing="squared", end="auto")
    )

    def __post_init__(self) -> None:
        check_calls(self.rate, self.draws, self.detail)
        self.guidance = self.guidance and self.guidance.quality()

    def hides(self, A: Operator, error: float) -> float:
        """The noise to start from where a guess has this error."""
        far = super().hides(A, error)
        if error < NEAR and not has_unknowns(A):
            return (NEAR_START * error) ** (1 - self.detail) * far**self.detail
        return far

    def timed(self, prior: Prior, A: Operator, y: Tensor, guess: Guess | None = None) -> Schedule:
        if not self.finds(A, y):
            return super().timed(prior, A, y, guess)
        found, noise = replace(self.schedule, steps="auto"), partial(self.hides, A)
        rate = partial(self.rate_from, prior, A)
        return few(found, prior, A, y, guess, noise=noise, rate=rate, detail=self.detail)

    def finds(self, A: Operator, y: Tensor) -> bool:
        """Whether the calls are found: as is said, or one is, and one would be found."""
        steps = self.schedule.steps
        return steps == "auto" or (steps == 1 and self.detail == 0 and one_call(A, y))

    def rate_from(self, prior: Prior, A: Operator, top: int) -> float:
        """Calls for each halving of the noise, from a start at time `top`."""
        drawn = 1 + (DRAWN_RATE - 1) * self.detail
        if not self.near(A, prior, top):
            return drawn * min(self.rate / 2, FAR_RATE)
        return drawn * self.rate + max(A.pace, SPREAD_PACE if A.spreads else 0.0)

    def passes(self, T: int, operator: Operator, y: Tensor) -> list[int]:
        once = self.detail == 0 and self.schedule.steps == "auto" and one_call(operator, y)
        if self.between(operator):
            return [sum(sum(end.passes(T, operator, y)) for end in self.ends())]
        count = self.draws if self.detail < 1 else 1
        return [count * (1 if once else self.nfe(T))]

    def at_once(self, operator: Operator, y: Tensor) -> bool:
        return self.finds(operator, y) and noise_alone(operator, y)

    def averages(self, A: Operator, prior: Prior, schedule: Schedule) -> bool:
        """Whether the guess is near: far draws differ in more than error, and their mean blurs."""
        return self.near(A, prior, schedule.times(prior.T)[-1])

    def draw(self, schedule: Schedule, k: int) -> "Anchored":
        """The k-th restoration of a mean: the picture lies another way, with less put in."""
        more, less = max(self.stirred, STIRRED_DRAWS), FRESH_DRAWS * self.fresh
        return replace(self, draws=1, schedule=schedule, stirred=more, fresh=less, view=k)

    def shares(self, A: Operator, prior: Prior, top: int) -> Shares:
        """What the noise is made of that follows a start at time `top`, where y is noisy."""
        if self.near(A, prior, top):
            fresh = self.stirred ** (1 - self.detail)
            return Shares(fresh, fresh, 0.0)
        return Shares(1.0, self.eta, (1 - self.eta**2) ** 0.5)

    def near(self, A: Operator, prior: Prior, top: int) -> bool:
        """Whether a guess was near that is hidden by the noise of time `top`."""
        most = NEAR ** (1 - self.detail) * (HIDE * NEAR) ** self.detail
        return prior.sigma(top) < most and not has_unknowns(A)

    def first(
        self, prior: Prior, A: Operator, y: Tensor, guess: Tensor, t: int, noise: Noise
    ) -> Tensor:
        """The state at t: where y is noisy and seen, y with the noise that it lacks."""
        if A.sigma_y == 0 or not A.offers("spectral"):
            return self.noised(prior, A, guess, t, noise)
        spectral, shares = cast(SpectralOperator, A), Shares(1.0, 1.0, 0.0)
        if self.near(A, prior, t) and not seen(A, y).part:
            shares = self.shares(A, prior, t)
        return by_singular_value(guess, guess, ALL_OF_Y, prior.a(t), spectral, y, noise, shares)[0]

    def noised(self, prior: Prior, A: Operator, x: Tensor, t: int, noise: Noise) -> Tensor:
        """The state at t from a first picture x [B, C, H, W]."""
        if self.near(A, prior, t):
            return self.redraw(prior, x, t, noise)
        return super().noised(prior, A, x, t, noise)

    def redraw(self, prior: Prior, x0: Tensor, t: int, noise: Noise) -> Tensor:
        """sqrt(a_t) x0 + fresh sigma_t z."""
        a, fresh = prior.a(t), self.fresh ** (1 - self.detail)
        return x0 if t == 0 else a**0.5 * x0 + fresh * (1 - a) ** 0.5 * noise.like(x0)

    def look(self, prior: Prior, x: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """The network's eps and x0; it is shown x turned as this view has it."""
        k = self.view % ORIENTATIONS[prior.symmetry] if prior.known is None else 0
        eps, x0, _ = prior(turn(x, k), t)
        return turn_back(eps, k), turn_back(x0, k)

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
        eps, x0 = self.look(prior, x, t)
        top = memory.setdefault("top", t)
        if self.guidance is not None:
            x0 = self.guidance.steer(x0, y, A, prior.sigma(t), prior.sigma(s))

        # Without noise y is put in as it is.
        if A.sigma_y == 0:
            x0_hat = agreeing_exactly(x0, A, y)
            if self.near(A, prior, top):
                return self.redraw(prior, x0_hat, s, noise), x0_hat
            return prior.ddim(x0_hat, eps, s, self.eta, noise), x0_hat

        # With noise y and x0 are weighed, at the end by what y says beyond x_t.
        if s == 0:
            x0_hat = last(x0, A, y, prior.sigma(t))
            return x0_hat, x0_hat
        rho, a = self.trust * A.sigma_y**2 * prior.a(t) / (1 - prior.a(t)), prior.a(s)
        shares = self.shares(A, prior, top)
        if A.offers("spectral"):
            spectral = cast(SpectralOperator, A)
            return by_singular_value(x0, eps, rho, a, spectral, y, noise, shares)
        return by_proximal_step(x0, rho, a, A, y, noise, shares.whole)
