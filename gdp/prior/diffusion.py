"""The diffusion process of a DDPM, and the steps back along it (Ho et al., NeurIPS 2020).

q(x_t | x_0) = N(sqrt(a_t) x_0, (1 - a_t) I),   a_t = prod_k (1 - beta_k)             Eq. 4
q(x_s | x_t) = N(sqrt(a_s / a_t) x_t, (1 - a_s / a_t) I),   s >= t
q(x_s | x_t, x_0), s < t: with beta = 1 - a_t / a_s
    mean = (sqrt(a_s) beta x_0 + sqrt(a_t / a_s) (1 - a_s) x_t) / (1 - a_t)           Eq. 7
    var  = beta (1 - a_s) / (1 - a_t), or learned, between beta and that
"""

import math

from torch import Tensor

from gdp.prior.noise import Noise


class Diffusion:
    """A noise schedule, and what it says of x_t.

    Times run t = T..1 and t = 0 is the clean image, so no step is special. Images are
    [B, C, H, W], in [-1, 1] where clean.

    Attributes:
        alpha_bar: [T + 1], float64, on the CPU: one scalar a step, and no device is waited for.
    """

    alpha_bar: Tensor

    @property
    def T(self) -> int:
        """The number of diffusion steps that the network was trained with."""
        return len(self.alpha_bar) - 1

    def a(self, t: int) -> float:
        """alpha_bar_t; a(0) = 1."""
        return float(self.alpha_bar[t])

    def sigma(self, t: int) -> float:
        """sqrt((1 - a_t) / a_t), the std of x_t / sqrt(a_t) about x0."""
        return (1 / self.a(t) - 1) ** 0.5

    def diffuse(self, x: Tensor, t: int, s: int, noise: Noise) -> Tensor:
        """A draw of q(x_s | x_t) for s >= t: late starts, trips back, RePaint.

        s = t is x itself, and draws nothing.
        """
        if s == t:
            return x
        r = self.a(s) / self.a(t)
        return r**0.5 * x + (1 - r) ** 0.5 * noise.like(x)

    def ddim(self, x0: Tensor, eps: Tensor, s: int, eta: float, noise: Noise) -> Tensor:
        """A step of DDIM in DDNM's form, to any time s.

        x_s = sqrt(a_s) x0 + sqrt(1 - a_s) (sqrt(1 - eta^2) eps + eta z); x0 itself at s = 0.
        """
        if s == 0:
            return x0
        a = self.a(s)
        return a**0.5 * x0 + (1 - a) ** 0.5 * ((1 - eta**2) ** 0.5 * eps + eta * noise.like(x0))

    def posterior(
        self, x: Tensor, x0: Tensor, t: int, s: int, v: Tensor | None
    ) -> tuple[Tensor, Tensor | float]:
        """Mean and std of q(x_s | x_t, x0), for any s < t.

        Args:
            x: x_t.
            x0: the clean image.
            t, s: the times.
            v: the learned-variance fraction of a Prediction, or None for the fixed variance.

        Returns:
            The mean, and the std: of each pixel with `v`, else a number; 0 at s = 0.
        """
        at, as_ = self.a(t), self.a(s)
        beta = 1 - at / as_
        mean = (as_**0.5 * beta * x0 + (at / as_) ** 0.5 * (1 - as_) * x) / (1 - at)
        var = beta * (1 - as_) / (1 - at)

        if v is None or s == 0:
            return mean, var**0.5
        return mean, learned_variance(v, beta, var).sqrt()

    def ancestral(
        self,
        x: Tensor,
        x0: Tensor,
        t: int,
        s: int,
        v: Tensor | None,
        noise: Noise,
        fresh: float = 1.0,
    ) -> Tensor:
        """A draw of q(x_s | x_t, x0), or with `fresh` times its noise; its mean at s = 0."""
        mean, std = self.posterior(x, x0, t, s, v)
        return mean if s == 0 else mean + fresh * std * noise.like(x)


def learned_variance(v: Tensor, beta: float, var: float) -> Tensor:
    """The variance that a network learned, between the least and the greatest that can be.

    exp(f log beta + (1 - f) log var), f = (v + 1) / 2: improved DDPM (Nichol & Dhariwal, ICML
    2021), Eq. 15.
    """
    f = (v + 1) / 2
    return (f * math.log(beta) + (1 - f) * math.log(var)).exp()
