"""What only the published code does, and what its fixtures were made with.

    Analytic, Fixed           the models in the network's place
    Recorded                  the noise that was drawn
    ReferencePrior            DDNM+ draws noise in the SVD's basis; time travel re-noises x0 as it was before its projection
    Simplified                DDNM's "simplified" loop, which adds too little noise
    ShippedBlur, TiledBlur    blur with zero borders that leaves out its last tap; the second misplaces singular values too
    Spectrum                  shows a sampler's weights of the singular values bare
    coefficients, variance    guided-diffusion's terms and its log-variance at t = 0
    OPERATORS, pack, unpack   the operators by their names in fixtures, and how those flatten y

parity.py needs it; the product does not.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.prior.diffusion import learned_variance
from gdp.prior.noise import Noise
from gdp.prior.prior import Prediction, Prior
from operators.base import Operator, SpectralOperator
from operators.coded.sensing import BlockSensing, WalshHadamard, hadamard
from operators.identity import Identity
from operators.missing.gray import Gray
from operators.missing.mask import Mask
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from operators.size.separable import Factors, Separable
from samplers.base import Sampler

STEPS = 1000  # of the diffusion process behind every trajectory
BLUR_THRESHOLD = 0.03  # below it a 1-D singular value of a blur counts as zero
Fixture = Mapping[str, Tensor]
Map = Callable[[Tensor], Tensor]


class Analytic(nn.Module):
    """eps = g(t) x + 0.01 sin(t / 100) + 0.05 tanh(x), with v = 0.7 tanh(x) where the variance is learned. Keeps what it saw.

    A `ramp` makes it depend on the place in what it is given: eps + ramp r and v + 0.2 r, r = row + column / 2, each from -1 to 1.
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
    """A model that always says the same."""

    def __init__(self, said: Tensor):
        super().__init__()
        self.said = said
        self.times: list[float] = []

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        self.times.append(float(timesteps[0]))
        return self.said


class Recorded(Noise):
    """Draws [N, C, H, W] that were written down, in order; a sampler gets them turned by `rotate`."""

    def __init__(self, values: Tensor, rotate: Map = torch.clone):
        super().__init__([0])
        self.values, self.rotate = values, rotate

    def like(self, x: Tensor) -> Tensor:
        return self.rotate(self.next()).view_as(x)

    def next(self) -> Tensor:
        """The next draw, unturned."""
        self.draws += 1
        return self.values[self.draws - 1 : self.draws]


class ReferencePrior(Prior):
    """`rotate` is V, which the code applies to eps without V^T; `stride` is one step of its time travel, one draw each."""

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
    """The loop of `simplified_ddnm_plus`: gamma sqrt(1 - a_s) is less noise than x_s has."""

    needs: ClassVar = ("pinv",)
    eta: float

    def step(self, x, t, s, prior, A, y, noise, memory):
        eps, x0, _ = prior(x, t)
        a = prior.a(s)
        sigma, floor = (1 - a**2) ** 0.5, a * A.sigma_y
        lam, gamma = (1, (sigma**2 - floor**2) ** 0.5) if sigma >= floor else (sigma / floor, 0)
        x0_hat = x0 - lam * A.pinv(A(x0) - y)
        if s == 0:
            return x0_hat, x0_hat
        z = self.eta * noise.like(x) + (1 - self.eta**2) ** 0.5 * eps
        return a**0.5 * x0_hat + gamma * (1 - a) ** 0.5 * z, x0_hat


class Taps(Separable):
    """A[i, j] = k[j - i + K // 2] for i - K // 2 <= j < i + K // 2, zero outside the image."""

    def __init__(self, kernel: Tensor, threshold: float):
        super().__init__()
        self.kernel, self.threshold = kernel, threshold

    def matrix(self, n: int) -> Tensor:
        half = len(self.kernel) // 2
        offset = torch.arange(n) - torch.arange(n)[:, None]
        tap = self.kernel.double()[(offset + half).clamp(0, 2 * half - 1)]
        return torch.where((offset >= -half) & (offset < half), tap, 0)


class ShippedBlur(Separable):
    """Its own 1-D kernel down and across."""

    def __init__(self, down: Tensor, across: Tensor, threshold: float):
        super().__init__()
        self.down, self.across = Taps(down, threshold), Taps(across, threshold)

    def both(self, shape: tuple[int, ...], like: Tensor) -> tuple[Factors, Factors]:
        return self.down.factors(shape[-2], like), self.across.factors(shape[-1], like)


class TiledBlur:
    """The same blur as shipped: coefficients are weighed pixel-major although they are not; singular values `s` [3 N]."""

    def __init__(self, z: Fixture, op: str, A: ShippedBlur):
        x = z["x"]
        s = (
            (A.down.factors(x.shape[-2], x).s[:, None] * A.across.factors(x.shape[-1], x).s)
            .flatten()
            .sort(descending=True)[0]
        )
        self.s = F.pad(s, (0, x[0, 0].numel() - len(s))).repeat(x.shape[1])
        self.perm = z[f"{op}.perm"]
        self.U, self.V = ([z.get(f"{op}.{w}{i}", z[f"{op}.{w}1"]) for i in (1, 2)] for w in "UV")

    def __call__(self, x: Tensor) -> Tensor:
        return self.weigh(x, self.s, self.V, self.U)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.weigh(y, self.s, self.U, self.V)

    def pinv(self, y: Tensor, eta: float = 0.0) -> Tensor:
        """V s / (s^2 + eta) U^T y."""
        return self.weigh(y, torch.where(self.s > 0, self.s / (self.s**2 + eta), 0), self.U, self.V)

    def weigh(
        self, x: Tensor, weights: Tensor, source: list[Tensor], target: list[Tensor]
    ) -> Tensor:
        """From the basis `source` to `target`, coefficients sorted by `perm` and weighed on the way."""
        by_pixel = (source[0].T @ x @ source[1]).flatten(2)[..., self.perm].mT
        weighed = (weights * by_pixel.flatten(1)).view_as(by_pixel).mT
        back = torch.empty_like(weighed)
        back[..., self.perm] = weighed
        return target[0] @ back.view_as(x) @ target[1].T


class Spectrum(SpectralOperator):
    """The singular values and V of A, with an A and A^+ that change nothing: shows a sampler's weights bare."""

    def __init__(self, A: SpectralOperator, sigma_y: float):
        super().__init__()
        self.A, self.sigma_y = A, sigma_y

    def forward(self, x: Tensor) -> Tensor:
        return x

    def pinv(self, y: Tensor) -> Tensor:
        return y

    def spectral(self, x: Tensor, f: Map) -> Tensor:
        return self.A.spectral(x, f)


def basis(z: Fixture, op: str) -> Map:
    """z -> V z for the reference's V of an operator; the identity where its V cancels out."""
    if f"{op}.V1" in z:
        V = z[f"{op}.V1"]
        return lambda x: V @ x @ V.T
    if f"{op}.perm" in z and op == "wht":
        return lambda x: hadamard(x.flatten(-2)).view_as(x)
    if f"{op}.V_small" not in z:
        return torch.clone
    V = z[f"{op}.V_small"]
    if op == "color":
        return lambda x: torch.einsum("kc,bchw->bkhw", V, x)
    r = math.isqrt(len(V))

    def blocks(x: Tensor) -> Tensor:
        parts = F.pixel_unshuffle(x, r).unflatten(1, (-1, r * r))
        return F.pixel_shuffle(torch.einsum("kl,bclhw->bckhw", V, parts).flatten(1, 2), r)

    return blocks


def trajectory(
    sampler: Sampler, prior: Prior, A: Operator, y: Tensor, x_T: Tensor, noise: Noise
) -> Tensor:
    """The sampler's own loop, on recorded noise."""
    streams = {"start": Recorded(x_T), "step": noise}
    with mock.patch("samplers.base.Noise", lambda seeds, purpose: streams[purpose]):
        return sampler(prior, A, y).x


def coefficients(prior: Prior, times: list[int]) -> dict[str, Tensor]:
    """The process that visits `times` only, in guided-diffusion's terms. Its log-variance at t = 0 is that of the next time."""
    zero, one = torch.zeros(()).double(), torch.ones(()).double()
    steps = []
    for t, s in zip(times, [0, *times], strict=False):
        (coef1, std), (coef2, _) = (
            prior.posterior(zero, one, t, s, None),
            prior.posterior(one, zero, t, s, None),
        )
        steps.append(
            [1 - prior.a(t) / prior.a(s), prior.a(t), float(coef1), float(coef2), float(std) ** 2]
        )
    names = (
        "betas",
        "alphas_cumprod",
        "posterior_mean_coef1",
        "posterior_mean_coef2",
        "posterior_variance",
    )
    found = dict(zip(names, torch.tensor(steps, dtype=torch.float64).T, strict=True))
    variances = found["posterior_variance"]
    return {
        **found,
        "posterior_log_variance_clipped": torch.cat([variances[1:2], variances[1:]]).log(),
    }


def variance(prior: Prior, times: list[int], k: int, v: Tensor) -> Tensor:
    """Learned variance of the step from times[k]; for the last step, where ours is 0, the reference takes that before it."""
    zero = torch.zeros(())
    if k:
        return torch.as_tensor(prior.posterior(zero, zero, times[k], times[k - 1], v)[1] ** 2)
    before = float(prior.posterior(zero, zero, times[1], times[0], None)[1]) ** 2
    return learned_variance(v, 1 - prior.a(times[0]), before)


def gray(z: Fixture) -> Gray:
    """Weights along the first singular vector, which add up to one."""
    w = z["color.V_small"][:, 0].double()
    return Gray((w / w.sum()).tolist())


def blur(z: Fixture, op: str, threshold: float = BLUR_THRESHOLD) -> ShippedBlur:
    """The blur with an operator's one kernel, or its two."""
    down, across = (
        z[f"{op}.kernel{i}" if f"{op}.kernel{i}" in z else f"{op}.kernel"] for i in (1, 2)
    )
    return ShippedBlur(down, across, threshold)


OPERATORS: dict[str, Callable[[Fixture], SpectralOperator]] = {
    "sr4": lambda z: AvgPool(4),
    "bicubic4": lambda z: Bicubic(4),
    "color": gray,
    "inpaint": lambda z: Mask(z["inpaint.mask"][None, None]),
    "denoise": lambda z: Identity(),
    "wht": lambda z: RecordedWalshHadamard(z["wht.perm"], z["wht.y"].shape[1] // z["x"].shape[1]),
    "cs": lambda z: BlockSensing(basis=z["cs.V_first"], size=math.isqrt(len(z["cs.V_first"]))),
    "deblur_uni": lambda z: blur(z, "deblur_uni"),
    "deblur_gauss": lambda z: blur(z, "deblur_gauss"),
    "deblur_aniso": lambda z: blur(z, "deblur_aniso"),
}


class RecordedWalshHadamard(WalshHadamard):
    """The coefficients that a fixture chose."""

    def __init__(self, perm: Tensor, count: int):
        super().__init__()
        self.perm = perm[:count].long()

    def chosen(self, n: int) -> Tensor:
        return self.perm


def pack(A: SpectralOperator, y: Tensor) -> Tensor:
    """y as the reference flattens it: the kept pixels or coefficients only."""
    if isinstance(A, RecordedWalshHadamard):
        return y.flatten(-2)[..., A.perm].movedim(1, -1).flatten(1)
    if isinstance(A, BlockSensing):
        return (
            F.pixel_unshuffle(y, A.size)
            .unflatten(1, (y.shape[1], -1))[:, :, : A.basis.shape[1]]
            .flatten(-2)
            .mT.flatten(1)
        )
    return (
        y.movedim(1, -1)[:, A.mask[0, 0] == 1].flatten(1) if isinstance(A, Mask) else y.flatten(1)
    )


def unpack(A: SpectralOperator, flat: Tensor, like: Tensor) -> Tensor:
    """The y of `like`'s shape that packs to `flat`."""
    if isinstance(A, RecordedWalshHadamard):
        flat = flat.view(len(like), -1, like.shape[1]).movedim(-1, 1)
        return torch.zeros_like(like).flatten(-2).index_copy(-1, A.perm, flat).view_as(like)
    if isinstance(A, BlockSensing):
        B, C, H, W = like.shape
        blocks = flat.view(B, C, H // A.size, W // A.size, -1).movedim(-1, 2)
        unseen = A.size**2 - blocks.shape[2]
        return F.pixel_shuffle(F.pad(blocks, (0, 0, 0, 0, 0, unseen)).flatten(1, 2), A.size)
    if not isinstance(A, Mask):
        return flat.view_as(like)
    y = torch.zeros_like(like).movedim(1, -1).contiguous()
    y[:, A.mask[0, 0] == 1] = flat.view(len(y), -1, y.shape[-1])
    return y.movedim(-1, 1)
