"""What stands in for network, noise and prior when fixtures are checked.

Analytic, Fixed           models in the network's place
Recorded                  the noise that was drawn
ReferencePrior            DDNM+ draws noise in the SVD's basis, and travels in time its own way
Simplified                DDNM's "simplified" loop, which adds too little noise
coefficients, variance    guided-diffusion's terms, and its log-variance at t = 0
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from unittest import mock

import torch
from torch import Tensor, nn

from gdp.prior.diffusion import learned_variance
from gdp.prior.noise import Noise
from gdp.prior.prior import Prediction, Prior
from operators.base import Operator
from samplers.base import Sampler

# Steps of the diffusion process behind every trajectory
STEPS = 1000
Map = Callable[[Tensor], Tensor]


class Analytic(nn.Module):
    """A formula in the network's place; it remembers what it saw.

    eps = g(t) x + 0.01 sin(t / 100) + 0.05 tanh(x),   v = 0.7 tanh(x)

    Args:
        learned: whether it predicts v.
        ramp: makes it depend on the place in its input: eps + ramp r and v + 0.2 r,
            r = row + column / 2, each from -1 to 1.
    """

    def __init__(self, learned: bool = False, ramp: float = 0.0):
        super().__init__()
        self.learned, self.ramp = learned, ramp
        self.times: list[float] = []
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        self.times.append(float(timesteps[0]))
        self.inputs.append(x)

        t = timesteps.double().view(-1, 1, 1, 1)
        u = (t + 1) / STEPS
        g = (1 - torch.exp(-(0.1 * u + 9.95 * u**2))).sqrt()
        eps = g.to(x) * x + (0.01 * torch.sin(t / 100)).to(x) + 0.05 * x.tanh()
        v = 0.7 * x.tanh()

        if self.ramp:
            rows, columns = (torch.linspace(-1, 1, n) for n in x.shape[-2:])
            r = rows[:, None] + 0.5 * columns
            eps, v = eps + self.ramp * r, v + 0.2 * r

        return torch.cat([eps, v], 1) if self.learned else eps


class Fixed(nn.Module):
    """A model whose output is always the same."""

    def __init__(self, output: Tensor):
        super().__init__()
        self.output = output
        self.times: list[float] = []

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        self.times.append(float(timesteps[0]))
        return self.output


class Recorded(Noise):
    """Noise that was written down.

    Args:
        values: the draws [N, C, H, W], in order.
        rotate: what a sampler's draws go through.
    """

    def __init__(self, values: Tensor, rotate: Map = torch.clone):
        super().__init__([0])
        self.values, self.rotate = values, rotate

    def like(self, x: Tensor) -> Tensor:
        return self.rotate(self.next()).view_as(x)

    def next(self) -> Tensor:
        """Take the next draw, not rotated."""
        self.draws += 1
        return self.values[self.draws - 1 : self.draws]


class ReferencePrior(Prior):
    """The prior as DDNM's released code uses it.

    Args:
        net: the model.
        betas: the diffusion process.
        rotate: V of the operator, which the code applies to eps without V^T.
        stride: one step of its time travel, with one draw each; it re-noises x0 as it was before
            the projection.
    """

    def __init__(self, net: nn.Module, betas: Tensor, rotate: Map, stride: int):
        super().__init__(net, betas)
        self.rotate, self.stride = rotate, stride
        self.x0 = torch.empty(0)

    def forward(self, x: Tensor, t: int) -> Prediction:
        eps, self.x0, v = super().forward(x, t)
        return Prediction(self.rotate(eps), self.x0, v)

    def diffuse(self, x: Tensor, t: int, s: int, noise: Noise) -> Tensor:
        assert isinstance(noise, Recorded)
        for _ in range(t, s, self.stride):
            x = self.a(s) ** 0.5 * self.x0 + (1 - self.a(s)) ** 0.5 * noise.next()
        return x


@dataclass(kw_only=True)
class Simplified(Sampler):
    """The loop of `simplified_ddnm_plus`, in which gamma sqrt(1 - a_s) is too little noise."""

    needs: ClassVar = ("pinv",)
    eta: float

    def step(self, x, t, s, prior, A, y, noise, memory):
        eps, x0, _ = prior(x, t)
        a = prior.a(s)

        # DDNM+'s weights for noise of sigma_y
        sigma, floor = (1 - a**2) ** 0.5, a * A.sigma_y
        lam, gamma = (1, (sigma**2 - floor**2) ** 0.5) if sigma >= floor else (sigma / floor, 0)
        x0_hat = x0 - lam * A.pinv(A(x0) - y)
        if s == 0:
            return x0_hat, x0_hat

        z = self.eta * noise.like(x) + (1 - self.eta**2) ** 0.5 * eps
        return a**0.5 * x0_hat + gamma * (1 - a) ** 0.5 * z, x0_hat


def trajectory(
    sampler: Sampler, prior: Prior, A: Operator, y: Tensor, x_T: Tensor, noise: Noise
) -> Tensor:
    """Run a sampler's own loop from x_T on recorded noise."""
    streams = {"start": Recorded(x_T), "step": noise}
    with mock.patch("samplers.base.Noise", lambda seeds, purpose: streams[purpose]):
        return sampler(prior, A, y).x


def coefficients(prior: Prior, times: list[int]) -> dict[str, Tensor]:
    """Compute the process that visits `times` only, in guided-diffusion's terms.

    Its log-variance at t = 0 is that of the next time.
    """
    zero, one = torch.zeros(()).double(), torch.ones(()).double()

    # A row for each step
    steps = []
    for t, s in zip(times, [0, *times], strict=False):
        coef1, std = prior.posterior(zero, one, t, s, None)
        coef2, _ = prior.posterior(one, zero, t, s, None)
        beta = 1 - prior.a(t) / prior.a(s)
        steps.append([beta, prior.a(t), float(coef1), float(coef2), float(std) ** 2])

    # A column for each term
    names = (
        "betas",
        "alphas_cumprod",
        "posterior_mean_coef1",
        "posterior_mean_coef2",
        "posterior_variance",
    )
    found = dict(zip(names, torch.tensor(steps, dtype=torch.float64).T, strict=True))
    variances = found["posterior_variance"]
    clipped = torch.cat([variances[1:2], variances[1:]]).log()
    return {**found, "posterior_log_variance_clipped": clipped}


def variance(prior: Prior, times: list[int], k: int, v: Tensor) -> Tensor:
    """Compute the learned variance of the step from times[k].

    For the last step, where ours is 0, the reference takes that before it.
    """
    zero = torch.zeros(())
    if k:
        return torch.as_tensor(prior.posterior(zero, zero, times[k], times[k - 1], v)[1] ** 2)
    before = float(prior.posterior(zero, zero, times[1], times[0], None)[1]) ** 2
    return learned_variance(v, 1 - prior.a(times[0]), before)
