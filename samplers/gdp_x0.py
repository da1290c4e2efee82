"""GDP, guidance on x0 (GDP-x0; Fei et al., CVPR 2023), Algorithm 2.

    x0     = clip((x_t - sqrt(1 - a_t) eps(x_t, t)) / sqrt(a_t))
    x0_hat = x0, then N times x0_hat - s' grad L(x0_hat),    L(x0) = ||A(x0) - y||^2 + lambda Q(x0)
    phi    = phi - l grad_phi L                              blind: the operator's own `fit`
    x_s    ~ N(mu(x_t, x0) + x0_hat - x0, Sigma)             mu, Sigma: p(x_s | x_t, x0)

With N = 1 the mean is mu - s' grad L(x0), as in the paper: the gradient is taken at x0, not at x_t
(Algorithm 1, samplers/gdp_released.py), and Sigma does not weigh it. Q are the quality losses of
`guidance` with their weights lambda: exposure, colour, smoothness (samplers/guide/losses.py).

The paper's scale is that of a mean over pixels at 256 x 256, and of 1000 steps; it differs by task.
Here it is without a unit, so that it holds for any size, operator and number of steps:

    s' = min(1, scale (t - s) / T) alpha

alpha leads to the minimum along -grad L (samplers/guide/descent.py), which no step goes beyond: at
few steps it would diverge. Q moves x0 by x0's own uncertainty (samplers/guide/guidance.py), and
counts in x_s as x0 does, sqrt(a_s). Of a noisy y no step brings more noise than x_s has, as in
samplers/gdp_linesearch.py: the last one brings none; where A is learned along with x, coarse and
fine parts of the step each by themselves (samplers/guide/bands.py).

Of Sigma's noise only a share is drawn, `fresh`: the network, told of more noise than x_s has,
smooths, as for least error (samplers/anchored.py). 1 is the paper's.

An exact y is met: a step goes at least the share of x0's uncertainty that it makes known, and the
last, of which nothing after it would make good what it leaves, to the minimum of L:

    s' >= (sigma_t^2 - sigma_s^2) / sigma_t^2 alpha           sigma^2 = (1 - a) / a
    x_0 = x0_hat, by up to SETTLE steps of alpha (or N) as long as L falls

What a noisy y brings is noise of x_s, too. For what `fresh` takes away it is asked the more: a step
goes

    min(1, LACKS (r_t^2 - r_s^2) / (r_t^2 + tau^2))  of the way,  r = ERROR_SHARE sigma,
                                                     tau: the noise of y that all of it brings

In that unit the released scales are 5 (super-resolution, s = 2000), 10 (inpainting, 4000) and 15
(deblurring and colour, 6000). From a late start the way is shorter, and the default is a little
more.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import ROUNDED, Operator
from samplers.base import Sampler
from samplers.guide.bands import WIDTHS, bands
from samplers.guide.checks import check_scale
from samplers.guide.descent import descended, dot, minimiser
from samplers.guide.guidance import WIDEST, Guidance
from samplers.mixing import ERROR_SHARE
from samplers.problem import has_unknowns

LACKS = 3.0  # times y is asked for what x0 lacks of a noisy y, as little noise is drawn
SETTLE = 16  # gradient steps at most that the last x0 goes to an exact y


@dataclass(kw_only=True)
class GDPx0(Sampler):
    """Ancestral sampling whose mean is shifted along the gradient of a loss in x0.

    Args:
        guidance: the loss L: how far A(x0) is from y, and the quality losses.
        scale: the gradient scale s of the whole way from T to 0, in steps to the minimum along g.
        N: gradient steps of that length at each time; 1 in the paper's box.
        fresh: the share of Sigma's noise that is drawn; 1 gives a draw of what x may be, with more
            error.

    Raises:
        ValueError: fresh is not between 0 and 1, N is below 1, or scale below 0.
    """

    whitens: ClassVar = False
    guidance: Guidance = field(default_factory=Guidance)
    scale: float = 20.0
    N: int = 1
    fresh: float = 0.4

    def __post_init__(self) -> None:
        check_scale(self.scale)
        if isinstance(self.N, bool) or not isinstance(self.N, int) or self.N < 1:
            raise ValueError(
                f"sampler.N={self.N}; it is a whole number of gradient steps, 1 or more"
            )
        if not 0 <= self.fresh <= 1:
            raise ValueError(f"sampler.fresh={self.fresh}; it is a share, from 0 to 1")
        self.fidelity = self.guidance.fidelity()

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: Operator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        _, x0, v = prior(x, t)
        x0 = x0.clamp(-1, 1)
        steered = self.guidance.steer(x0, y, A, prior.sigma(t), prior.sigma(s))

        loss, gradient = (partial(f, y=y, A=A) for f in (self.fidelity, self.fidelity.gradient))
        share = min(1.0, self.scale * (t - s) / prior.T)

        # An exact y is met in the end, and not all at once.
        exact = share > 0 and A.sigma_y <= ROUNDED
        if exact:
            share = max(share, 1 - (prior.sigma(s) / prior.sigma(t)) ** 2)
        if exact and s == 0:
            x0_hat = descended(loss, gradient, steered, max(self.N, SETTLE))
            return x0_hat, x0_hat

        # N gradient steps on the distance to y, each from where the one before led.
        x0_hat = steered
        for _ in range(self.N):
            g = gradient(x0_hat)
            alpha = minimiser(gradient, x0_hat, g)
            x0_hat = x0_hat - share * alpha * g

        # Less of y's noise than x_s has.
        if A.sigma_y > ROUNDED:
            other = y + A.sigma_y * noise.like(y)
            carried = alpha * (self.fidelity.gradient(x0_hat, other, A) - gradient(x0_hat))
            left, then = (min(ERROR_SHARE * prior.sigma(at), WIDEST) ** 2 for at in (t, s))

            # Where A is learned, x0 is wrong in many pixels together, which noise is not.
            widths = WIDTHS if has_unknowns(A) else ()
            change, x0_hat = bands(x0_hat - steered, widths), steered
            for part, loud in zip(change, bands(carried, widths), strict=True):
                tau = (dot(loud, loud) / loud[0].numel()).sqrt()
                worth = LACKS * (left - then) / (left + tau**2) / share
                lam = ((1 - prior.a(s)) ** 0.5 / (share * tau + 1e-30)).minimum(worth).clamp(max=1)
                x0_hat = x0_hat + lam * part

        shift = prior.a(s) ** 0.5 * (steered - x0) + (x0_hat - steered)
        return prior.ancestral(x, x0, t, s, v, noise, self.fresh) + shift, x0
