"""The unconditional DDPM as a sampler sees it: x_t and t in, noise and clean image out."""

import copy
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gdp.network.graphs import Graphs
from gdp.prior.noise import Noise
from gdp.prior.symmetry import turned, turned_back, way


class Prediction(NamedTuple):
    """What the network says at (x_t, t); all [B, C, H, W]."""

    eps: Tensor
    x0: Tensor  # (x_t - sqrt(1 - a_t) eps) / sqrt(a_t), not clamped
    v: Tensor | None  # learned-variance fraction in [-1, 1] (improved DDPM, Eq. 15), or None


class Settled(NamedTuple):
    """What is known of x0 without the network."""

    where: Tensor  # [1 or B, 1, H, W], bool, on the CPU
    x0: Tensor  # [B, C, H, W]; meaningful where `where` is


class Prior(nn.Module):
    """A denoiser with its noise schedule. Times run t = T..1 and t = 0 is the clean image, so no step is special.

    `net(x, timesteps [B], labels [B])` gives eps, or eps and v stacked; it is fed t - 1, its own index 0..T-1, and is of any size
    divisible by `net.divisor` (other sizes are padded by reflection). alpha_bar is float64 on the CPU: one scalar a step, no
    device sync. Grad mode is the caller's; weights never require gradients; everything is differentiable in x.
    `calls` counts predictions and `pixels` what the network evaluated for them, padding included.
    """

    source: dict[str, str] | None = None  # where the weights came from: file, sha256
    on_part: Callable[[float], None] | None = (
        None  # told how much of a prediction is done, if it is made in parts
    )
    settled: Settled | None = None  # the network may be spared where all is known; see `knowing`
    symmetry = "none"  # ways in which the network is shown pictures, none, mirror or square: gdp/prior/symmetry.py

    def __init__(self, net: nn.Module | None, betas: Tensor, label: int | None = None):
        super().__init__()
        classes = getattr(net, "num_classes", None)
        if classes is not None and (label is None or not 0 <= label < classes):
            raise ValueError(
                f"this prior is class-conditional and got label={label}; give prior.label=0..{classes - 1}, or take an "
                "unconditional prior such as photo64 or imagenet256"
            )
        if classes is None and label is not None:
            raise ValueError(
                f"this prior has no classes, but got label={label}; leave prior.label out"
            )
        self.net, self.label, self.graphs = net, label, Graphs()
        if net is not None:
            net.requires_grad_(False)
        self.alpha_bar = torch.cat(
            [torch.ones(1).double(), torch.cumprod(1 - betas.double().cpu(), 0)]
        )
        self.calls = self.pixels = 0

    @contextmanager
    def knowing(self, where: Tensor | None, x0: Callable[[], Tensor]) -> Iterator[None]:
        """Within it x0() is taken for the truth at the pixels of `where` [1 or B, 1, H, W], by a prior that can make use of it."""
        self.settled = None if where is None or not where.any() else Settled(where.cpu(), x0())
        try:
            yield
        finally:
            self.settled = None

    @property
    def T(self) -> int:
        """The number of diffusion steps the network was trained with."""
        return len(self.alpha_bar) - 1

    def wrap(self, prior: "Prior") -> None:
        """What a wrapper begins with in place of __init__: the network, times, label and source of `prior`, and counters of its own."""
        Prior.__init__(self, prior.net, 1 - prior.alpha_bar[1:] / prior.alpha_bar[:-1], prior.label)
        self.alpha_bar, self.source, self.symmetry = prior.alpha_bar, prior.source, prior.symmetry

    def own(self) -> "Prior":
        """This prior with counters, hooks and `on_part` of its own, and the same weights: threads may share those, but nothing else."""
        other = copy.copy(self)
        other._forward_hooks, other.on_part = OrderedDict(), None
        other._modules = {
            name: part.own() if isinstance(part, Prior) else part
            for name, part in self._modules.items()
        }
        return other

    def state(self) -> dict[str, Any] | None:
        """What it keeps from call to call, for a restoration that is to go on from here: plain values and tensors, or None."""
        return None

    def resume(self, state: dict[str, Any] | None) -> None:
        """Take up what `state` gave; None is a beginning."""

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return next(self.parameters()).device

    def a(self, t: int) -> float:
        """alpha_bar_t; a(0) = 1."""
        return float(self.alpha_bar[t])

    def sigma(self, t: int) -> float:
        """sqrt((1 - a_t) / a_t), the std of x_t / sqrt(a_t) about x0."""
        return (1 / self.a(t) - 1) ** 0.5

    def part(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        """`predict`, of tiles: the next call need not be of the same places."""
        return self.predict(x, t)

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        """(eps, v) at x_t [B, C, H, W] of any size, in x's own type: the one method a wrapper replaces."""
        assert self.net is not None
        k = self.way(t)
        z = turned(x, k)
        H, W = z.shape[-2:]
        z = reflect_to_multiple(z, getattr(self.net, "divisor", 1)).contiguous(
            memory_format=torch.channels_last
        )
        self.pixels += len(z) * z.shape[-2] * z.shape[-1]
        timesteps = torch.full((len(z),), t - 1, dtype=torch.float32, device=z.device)
        labels = None if self.label is None else torch.full((len(z),), self.label, device=z.device)
        out = turned_back(self.network(z, timesteps, labels)[..., :H, :W], k).to(x.dtype)
        eps, *v = out.split(x.shape[1], 1)
        return eps, v[0] if v else None

    def way(self, t: int) -> int:
        """How the network is shown the picture at time t."""
        return way(self.symmetry, t)

    def network(self, z: Tensor, timesteps: Tensor, labels: Tensor | None) -> Tensor:
        """The network's output."""
        assert self.net is not None
        return self.graphs(self.net, z, timesteps, labels)

    def forward(self, x: Tensor, t: int) -> Prediction:
        """eps, x0 and v at x_t."""
        self.calls += 1
        eps, v = self.predict(x, t)
        a = self.a(t)
        return Prediction(eps, (x - (1 - a) ** 0.5 * eps) / a**0.5, v)

    def diffuse(self, x: Tensor, t: int, s: int, noise: Noise) -> Tensor:
        """q(x_s | x_t) for s >= t: late start, trips back, RePaint; s = t is x itself and draws nothing."""
        if s == t:
            return x
        r = self.a(s) / self.a(t)
        return r**0.5 * x + (1 - r) ** 0.5 * noise.like(x)

    def ddim(self, x0: Tensor, eps: Tensor, s: int, eta: float, noise: Noise) -> Tensor:
        """sqrt(a_s) x0 + sqrt(1 - a_s) (sqrt(1 - eta^2) eps + eta z), DDNM's form of DDIM."""
        if s == 0:
            return x0
        a = self.a(s)
        return a**0.5 * x0 + (1 - a) ** 0.5 * ((1 - eta**2) ** 0.5 * eps + eta * noise.like(x0))

    def posterior(
        self, x: Tensor, x0: Tensor, t: int, s: int, v: Tensor | None
    ) -> tuple[Tensor, Tensor | float]:
        """Mean and std of p(x_s | x_t, x0) for any s < t (DDPM, Eq. 7); with v the learned variance. std = 0 at s = 0."""
        at, as_ = self.a(t), self.a(s)
        beta = 1 - at / as_
        mean = (as_**0.5 * beta * x0 + (at / as_) ** 0.5 * (1 - as_) * x) / (1 - at)
        var = beta * (1 - as_) / (1 - at)
        if v is None or s == 0:
            return mean, var**0.5
        return mean, learned_variance(v, beta, var).sqrt()

    def ancestral(
        self, x: Tensor, x0: Tensor, t: int, s: int, v: Tensor | None, noise: Noise
    ) -> Tensor:
        """A draw of p(x_s | x_t, x0); its mean at s = 0."""
        mean, std = self.posterior(x, x0, t, s, v)
        return mean if s == 0 else mean + std * noise.like(x)


def learned_variance(v: Tensor, beta: float, var: float) -> Tensor:
    """exp(f log beta + (1 - f) log var), f = (v + 1) / 2: improved DDPM, Eq. 15."""
    f = (v + 1) / 2
    return (f * math.log(beta) + (1 - f) * math.log(var)).exp()


def reflect_to_multiple(x: Tensor, divisor: int) -> Tensor:
    """x extended at the right and bottom to multiples of `divisor`, by reflection as often as it takes (1 pixel repeats)."""
    if x.shape[-2] % divisor == 0 and x.shape[-1] % divisor == 0:
        return x
    rows, columns = (reflected(n, -(-n // divisor) * divisor, x.device) for n in x.shape[-2:])
    return x[..., rows[:, None], columns]


def reflected(n: int, size: int, device: torch.device) -> Tensor:
    """Indices 0..n-1 continued to `size` of them by reflection about the end pixels."""
    i = torch.arange(size, device=device) % max(2 * n - 2, 1)
    return torch.where(i < n, i, 2 * n - 2 - i)
