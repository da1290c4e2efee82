"""Coloured noise made white: adjoints, closed forms, scales, and the posterior that follows."""

import pytest
import torch

from gdp.prior.gaussian import GaussianPrior
from operators.base import Operator, SpectralOperator
from operators.blur.kernels import gaussian, motion
from operators.blur.known import blur
from operators.coded.jpeg import JPEG
from operators.compose import Compose
from operators.identity import Identity
from operators.missing.gray import Gray
from operators.missing.mask import RandomMask
from operators.noise.whitened import can_whiten, whiten
from operators.noise.whitening import Whitening
from operators.size.avgpool import AvgPool
from samplers.anchored import Anchored
from samplers.ddnm import DDNM

OPPONENT = torch.nn.functional.normalize(
    torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]).double(), dim=1
)


def whitening(h, w, channels=3, gain=None, dtype=torch.float64):
    """Noise that falls off with the frequency, in each colour another way."""
    u, v = torch.arange(h)[:, None] / h, torch.arange(w)[None] / w
    std = [0.3 * torch.exp(-a * u - b * v) + 0.03 for a, b in ((1, 1), (4, 2), (3, 3))]
    colours = OPPONENT if channels == 3 else torch.ones(1, 1)
    return Whitening(torch.stack(std)[None, :channels].to(dtype), gain, colours.to(dtype))


CASES = {
    "identity": Identity(),
    "sr2": AvgPool(2),
    "gray": Gray(),
    "soft": blur(gaussian(7, 1.0)),
    "motion": blur(motion(7, 30.0)),
    "composed": Compose([blur(motion(5, 10.0)), AvgPool(2)]),
}


def problem(name, h=24, w=32):
    """W A, an x, and W y."""
    torch.manual_seed(0)
    A, x = CASES[name], torch.randn(2, 3, h, w, dtype=torch.float64)
    y = A(x)
    B = whiten(A, whitening(y.shape[-2], y.shape[-1], y.shape[1]))
    return B, x, B(x) + 0.1 * torch.randn_like(y)


@pytest.mark.parametrize("name", CASES)
def test_adjoint_and_proximal_step(name):
    B, x, y = problem(name)
    u = torch.randn_like(y)
    assert float((B(x) * u).sum()) == pytest.approx(float((x * B.adjoint(u)).sum()), rel=1e-6)
    for rho in (1.0, 0.05):
        x_hat = B.prox(x, y, rho)
        gradient = B.adjoint(B(x_hat) - y) + rho * (x_hat - x)
        assert gradient.norm() < 5e-3 * B.adjoint(y - B(x)).norm()


@pytest.mark.parametrize("name", ["identity", "sr2", "gray", "soft"])
def test_closed_forms(name):
    B, x, _ = problem(name)
    assert isinstance(B, SpectralOperator)
    torch.testing.assert_close(B.spectral(x, torch.ones_like), x)
    torch.testing.assert_close(B.spectral(x, torch.square), B.adjoint(B(x)))
    torch.testing.assert_close(B(B.pinv(B(x))), B(x))


def test_the_preconditioner_saves_iterations():
    B, x, y = problem("motion", 48, 48)
    calls = []
    B.A.register_forward_hook(lambda *_: calls.append(1))
    B.prox(x, y, 0.05)
    assert len(calls) < 40


def test_white_noise_comes_out():
    W = whitening(32, 32)
    torch.manual_seed(1)
    noise = W.inverse(W.sigma * torch.randn(50, 3, 32, 32, dtype=torch.float64))
    assert float(noise.square().mean().sqrt()) == pytest.approx(W.sigma, rel=0.03)
    power = W.coefficients(W(noise)).square().mean(0) / W.sigma**2
    torch.testing.assert_close(power.mean(), torch.ones_like(power.mean()), rtol=0.03, atol=0)


@pytest.mark.parametrize("r", [2, 3])
def test_the_noise_of_a_smaller_picture(r):
    W = whitening(48, 36)
    torch.manual_seed(2)
    noise = W.inverse(W.sigma * torch.randn(400, 3, 48, 36, dtype=torch.float64))
    small = torch.nn.functional.avg_pool2d(noise, r)
    ratio = W.at_scale(r).coefficients(small).square().mean(0) / W.at_scale(r).std[0] ** 2
    assert float(ratio.mean()) == pytest.approx(1, rel=0.1)
    B, y = whiten(Identity(), W).at_scale(r, W(noise[:1]))
    torch.testing.assert_close(B.W.inverse(y), small[:1])


def test_brightness():
    gain = torch.linspace(0.5, 2, 40, dtype=torch.float64).expand(1, 1, 40, 40)
    B = whiten(Identity(), whitening(40, 40, gain=gain))
    x = torch.randn(1, 3, 40, 40, dtype=torch.float64)
    torch.testing.assert_close(B.pinv(B(x)), x)
    torch.testing.assert_close(B.spectral(x, torch.ones_like), x)

    # Where there is more noise, more of it goes.
    shrunk = B.spectral(x, lambda d: d**2 / (d**2 + 1))
    left = shrunk.square().mean((0, 1, 2)) / x.square().mean((0, 1, 2))
    assert float(left[:8].mean()) > 1.5 * float(left[-8:].mean())


def test_what_cannot_be_whitened():
    y = torch.zeros(1, 3, 16, 16)
    assert can_whiten(Identity(), y) and not can_whiten(RandomMask(), y)
    assert not can_whiten(Identity(), torch.zeros(1, 6, 16, 16))
    nonlinear = type("Square", (Operator,), {"forward": lambda self, x: x**2})()
    B = whiten(nonlinear, whitening(16, 16, dtype=torch.float32))
    assert not B.offers("prox") and B(y + 1).shape == y.shape


@pytest.mark.parametrize("name", ["identity", "sr2", "motion"])
def test_the_posterior_of_a_gaussian_in_coloured_noise(name):
    """One proximal step from the mean is the posterior mean of N(mean, tau^2 I), noise Sigma."""
    A, tau, shape = CASES[name], 0.5, (1, 3, 8, 8)
    prior = GaussianPrior(0.1, tau)
    x = torch.randn(shape, dtype=torch.float64)
    y = A(x)
    W = whitening(y.shape[-2], y.shape[-1])
    basis = torch.eye(192, dtype=torch.float64).view(192, 3, 8, 8)
    M = A(basis).flatten(1).T
    root = W.inverse(torch.eye(y.numel(), dtype=torch.float64).view(-1, *y.shape[1:])).flatten(1).T
    Sigma = W.sigma**2 * root @ root.T

    # The closed form: x | y by Sigma, next to the proximal step of the whitened problem.
    S = tau**2 * M @ M.T + Sigma
    mean = torch.full((192,), prior.mean, dtype=torch.float64)
    exact = mean + tau**2 * M.T @ torch.linalg.solve(S, y.flatten() - M @ mean)
    B = whiten(A, W)
    ours = B.prox(mean.view(shape), W(y), B.sigma_y**2 / tau**2)
    torch.testing.assert_close(ours.flatten(), exact, atol=2e-3, rtol=0)


def test_a_sampler_finds_that_posterior():
    torch.manual_seed(3)
    tau, N, x = 0.5, 200, torch.randn(1, 3, 8, 8) * 0.5
    W = whitening(8, 8, dtype=torch.float32)
    B = whiten(Identity(), W)
    y = W(x) + W.sigma * torch.randn_like(x)
    out = DDNM()(GaussianPrior(0.0, tau), B, y.expand(N, -1, -1, -1).contiguous()).x.mean(0)
    exact = B.prox(torch.zeros_like(x), y, B.sigma_y**2 / tau**2)[0]
    assert (out - exact).norm() < 0.35 * (B.pinv(y)[0] - exact).norm()


@pytest.mark.parametrize("gain", [None, torch.linspace(0.5, 2, 56 * 64).view(1, 1, 56, 64)])
def test_pictures_larger_than_the_probe_of_a_proximal_step(gain):
    """What whitens holds the size of its pictures: no part of them is measured on."""
    A = whiten(CASES["motion"], whitening(56, 64, gain=gain, dtype=torch.float32))
    assert not A.any_size
    prior = GaussianPrior(0.0, 0.5)
    x = 0.5 * torch.randn(1, 3, 56, 64, generator=torch.Generator().manual_seed(0))
    noisy = A(x) + A.sigma_y * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    restored = Anchored()(prior, A, noisy).x
    assert (restored - x).norm() < 0.9 * x.norm()


def test_how_much_noise_is_left_in_means():
    z = torch.randn(4, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    codec = JPEG(70).block_whitening(0.1, torch.tensor(0.05))
    for W in (whitening(256, 256, dtype=torch.float32), codec):
        means = torch.nn.functional.avg_pool2d(W.inverse(W.sigma * z), 16)
        assert W.coarse(16) == pytest.approx(float(means.square().mean().sqrt()), rel=0.1)
