"""Invariants of every sampler YAML, and closed-form posteriors of a Gaussian prior."""

from dataclasses import replace

import pytest
import torch

from gdp.network import gradients
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.noise import Noise, impulses, photons
from gdp.prior.schedule import Schedule
from gdp.restore.observe import degrade
from operators.base import AffineOperator, LinearOperator, Operator
from operators.blur import blur
from operators.blur.kernels import gaussian, motion
from operators.coded.sensing import BlockSensing, FourierSampling, WalshHadamard
from operators.identity import Identity
from operators.missing.gray import Gray
from operators.missing.mask import RandomMask
from operators.size.avgpool import AvgPool
from samplers.anchored import Anchored
from samplers.auto import Auto
from samplers.base import Restored
from samplers.ddnm import DDNM
from samplers.ddrm import DDRM
from samplers.dps import DPS
from samplers.gdp_linesearch import GDPLineSearch
from samplers.guide.guidance import Guidance
from samplers.guide.losses import fidelity, total_variation
from samplers.mcg import MCG
from samplers.pigdm import PiGDM
from samplers.start import automatic_start, divergence, first_guess, gradient
from tests.conftest import SAMPLERS, sampler_of

MU, TAU = 0.2, 0.3
LINEAR = {"mask": RandomMask(), "sr2": AvgPool(2), "gray": Gray()}
CONSISTENT = [name for name in SAMPLERS if sampler_of(name, 2).consistent]
NO_POSTERIOR = {
    "sdedit": "it is told nothing of y after its start",
    "ilvr": "it is told the low frequencies of A^+ y alone",
    "gdp_x0_v1": "its pull fades with the noise, so that it ends short of y",
    "gdp_xt": "it holds the noisy x_t against the clean y",
    "gdp_xt_v1": "it holds the noisy x_t against the clean y",
}


class Gamma(Operator):
    """A nonlinear operator: nothing but forward."""

    def forward(self, x):
        return ((x.clamp(-1, 1) + 1) / 2 + 0.1) ** 0.5


class Plain(LinearOperator):
    """A linear operator that leaves everything to its base: a wrapper of another's forward."""

    def __init__(self, A):
        super().__init__()
        self.A = A

    def forward(self, x):
        return self.A(x)

    def x_shape(self, y):
        return self.A.x_shape(y)


def white():
    return GaussianPrior(MU, TAU)


def smooth(h=6, w=6, length=2.0):
    """A stationary covariance over [3, h, w], channels correlated."""
    i, j = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    points = torch.stack([i.flatten(), j.flatten()], 1).double()
    space = torch.exp(-torch.cdist(points, points).square() / (2 * length**2))
    colours = torch.tensor([[1.0, 0.8, 0.3], [0.8, 1.5, 0.5], [0.3, 0.5, 0.5]], dtype=torch.float64)
    return TAU**2 * torch.kron(colours, space)


def matrix_of(A, shape):
    """A as a dense matrix."""
    n = shape[1] * shape[2] * shape[3]
    basis = torch.eye(n, dtype=torch.float64).view(n, *shape[1:])
    return A(basis).flatten(1).T


def posterior(A, y, covariance, shape):
    """Mean of x | y for x ~ N(MU, covariance) and noise of std A.sigma_y."""
    M = matrix_of(A, shape)
    S = M @ covariance @ M.T + max(A.sigma_y, 1e-4) ** 2 * torch.eye(len(M), dtype=torch.float64)
    residual = y.double().flatten(1) - M @ torch.full((M.shape[1],), MU, dtype=torch.float64)
    return (MU + residual @ torch.linalg.solve(S, M @ covariance)).view(shape)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("which", ["mask", "sr2", "gray"])
@pytest.mark.parametrize("sigma_y", [0.0, 0.2])
def test_nearer_the_posterior_mean_than_pinv(name, which, sigma_y):
    A, shape, covariance = LINEAR[which], (1, 3, 6, 6), smooth()
    if name in NO_POSTERIOR or (sigma_y and not sampler_of(name, 2).noise_aware):
        pytest.skip(NO_POSTERIOR.get(name, "it takes y for clean"))
    A.sigma_y = sigma_y
    truth = MU + (
        torch.randn(1, 108).double() @ torch.linalg.cholesky(covariance + 1e-9 * torch.eye(108)).T
    ).view(shape)
    y = (A(truth) + sigma_y * torch.randn_like(A(truth))).float()
    sampler = sampler_of(name, 50)
    out = sampler(
        GaussianPrior(MU, covariance=covariance), A, y.expand(64, -1, -1, -1).contiguous()
    ).x.mean(0, keepdim=True)
    exact = posterior(A, y, covariance, shape)
    A.sigma_y = 0.0
    assert (out - exact).norm() < (A.pinv(y) - exact).norm()


@pytest.mark.parametrize("which", ["mask", "sr2", "gray"])
def test_ddnm_is_exact_in_the_null_space_of_a_white_prior(which):
    """eta = 0 integrates the probability flow: what A does not see is N(MU, TAU^2), and what it
    sees is y.
    """
    A, N = LINEAR[which], 100
    truth = MU + TAU * torch.randn(1, 3, 8, 8)
    y = A(truth).expand(N, -1, -1, -1).contiguous()
    x = DDNM(eta=0.0, schedule=Schedule(1000))(white(), A, y).x
    torch.testing.assert_close(A(x), y, atol=1e-4, rtol=0)
    unseen = x - MU - A.pinv(A(x - MU))
    directions = N * round(
        float(torch.trace(torch.eye(192) - matrix_of(lambda z: A.pinv(A(z)), (1, 3, 8, 8))))
    )
    assert abs(float(unseen.mean())) < 3 * TAU / directions**0.5
    variance = float(unseen.square().sum()) / directions
    assert abs(variance / TAU**2 - 1) < 3 * (2 / directions) ** 0.5


@pytest.mark.parametrize("A", [Identity(), AvgPool(2)], ids=["denoise", "sr2"])
def test_ddnm_plus_finds_the_posterior_mean(A):
    A.sigma_y, N = 0.2, 300
    y = A(MU + TAU * torch.randn(1, 3, 8, 8))
    y = y + A.sigma_y * torch.randn_like(y)
    out = DDNM(schedule=Schedule(100))(white(), A, y.expand(N, -1, -1, -1).contiguous()).x.mean(
        0, keepdim=True
    )
    shrink = A.s**2 * TAU**2 / (A.s**2 * TAU**2 + A.sigma_y**2)
    exact = MU + shrink * A.pinv(y - A(torch.full_like(out, MU)))
    assert (out - exact).norm() < 0.35 * (A.pinv(y) - exact).norm()
    assert (out - exact).norm() < 0.35 * (MU - exact).norm() + 3 * TAU * (out.numel() / N) ** 0.5
    A.sigma_y = 0.0


@pytest.mark.parametrize("name", SAMPLERS)
def test_seed_and_batch(name):
    A = AvgPool(2)
    y = A(torch.randn(3, 3, 8, 8)).clamp(-1, 1)
    sampler = sampler_of(name, 8)
    whole = sampler(white(), A, y, seeds=[5, 6, 7]).x
    torch.testing.assert_close(
        sampler(white(), A, y[1:2], seeds=[6]).x, whole[1:2], atol=1e-5, rtol=0
    )
    torch.testing.assert_close(sampler(white(), A, y, seeds=[5, 6, 7]).x, whole, atol=0, rtol=0)
    assert not torch.allclose(sampler(white(), A, y, seeds=[5, 6, 8]).x[2], whole[2], atol=1e-3)


@pytest.mark.parametrize("name", CONSISTENT)
@pytest.mark.parametrize("which", ["mask", "sr2", "gray"])
def test_noiseless_ends_consistent(name, which):
    A = LINEAR[which]
    y = A(MU + TAU * torch.randn(2, 3, 12, 12))
    x = sampler_of(name, 20, "sampler.schedule.travel=4", "sampler.schedule.repeat=2")(
        white(), A, y
    ).x
    assert float((A(x) - y).square().mean().sqrt()) < 2e-5


def test_noisy_blur_without_svd_works():
    A = blur(motion(7, 30.0))
    A.sigma_y = 0.04
    truth = torch.nn.functional.avg_pool2d(torch.randn(1, 3, 40, 40), 9, 1) * 2
    y = A(truth) + A.sigma_y * torch.randn_like(truth)
    x = DDNM(schedule=Schedule(40))(GaussianPrior(0.0, 0.25), A, y).x
    assert (x - truth).norm() < 0.5 * (A.pinv(y) - truth).norm()


def test_noisy_mean_beats_pinv_with_and_without_svd():
    for A in (blur(gaussian(7, 1.5)), Plain(AvgPool(2))):
        A.sigma_y = 0.1
        truth = MU + TAU * torch.randn(1, 3, 16, 16)
        y = A(truth) + A.sigma_y * torch.randn_like(A(truth))
        x = DDNM(schedule=Schedule(40))(white(), A, y.expand(32, -1, -1, -1).contiguous()).x.mean(0)
        assert (x - truth).norm() < (A.pinv(y) - truth).norm()


@pytest.mark.parametrize("sigma_y", [0.0, 0.1])
def test_gdp_strength_does_not_depend_on_the_steps(sigma_y):
    """The residual on an ill-conditioned blur, where one step cannot reach y."""
    A = blur(gaussian(7, 1.5))
    A.sigma_y = sigma_y
    y = A(torch.nn.functional.avg_pool2d(MU + TAU * torch.randn(4, 3, 28, 28), 5, 1, 2))
    y = y + sigma_y * torch.randn_like(y)
    residuals = [
        float((A(GDPLineSearch(schedule=Schedule(n))(white(), A, y).x) - y).norm())
        for n in (25, 100, 400)
    ]
    assert max(residuals) < 2 * min(residuals)


@pytest.mark.parametrize(
    ("name", "left"), [("auto", 0.3), ("daps", 0.3), ("gdp_linesearch", 0.3), ("reddiff", 0.7)]
)
def test_nonlinear_operators(name, left):
    truth = (MU + TAU * torch.randn(2, 3, 16, 16)).clamp(-0.9, 0.9)
    A = Gamma()
    y = A(truth)
    x = sampler_of(name, 50)(white(), A, y).x
    assert (x - truth).norm() < left * (truth - MU).norm()


def test_a_sampler_that_takes_y_for_clean_says_so(caplog):
    A = Identity()
    A.sigma_y = 0.2
    for name in ("repaint", "ddnm"):
        sampler_of(name, 12)(white(), A, torch.zeros(1, 3, 4, 4))
    assert [r.getMessage().split()[0] for r in caplog.records] == ["RePaint"]


def test_auto_takes_what_fits():
    assert isinstance(Auto().for_operator(AvgPool(2)), Anchored) and isinstance(
        Auto().for_operator(Gain()), Anchored
    )
    assert isinstance(Auto().for_operator(Gamma()), GDPLineSearch)


def test_guidance_weighs_its_terms():
    A, x0, y = Identity(), torch.randn(2, 3, 5, 5), torch.randn(2, 3, 5, 5)
    both = Guidance({"fidelity": [2.0, fidelity], "tv": [0.5, total_variation]})
    torch.testing.assert_close(
        both(x0, y, A), 2 * fidelity(x0, y, A) + 0.5 * total_variation(x0, y, A)
    )
    torch.testing.assert_close(Guidance().gradient(x0, y, A), 2 * (x0 - y))
    with pytest.raises(ValueError, match="no term"):
        Guidance({"fidelity": [0.0, fidelity]})(x0, y, A)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_step_is_told_and_late_start_stays_near_init(name):
    A = RandomMask()
    init = torch.full((1, 3, 8, 8), 0.5)
    y, seen = A(init), []
    sampler = sampler_of(name, 10)
    late = replace(sampler, schedule=replace(sampler.schedule, start=0.05, spacing="strided"))
    out = late(white(), A, y, init=Restored(init, A), on_step=lambda t, x, x0: seen.append(t))
    assert seen == sorted(seen, reverse=True) and len(seen) == 10 and seen[0] <= 50
    assert out.operator is A
    assert (out.x - init).abs().mean() < 0.3


def test_a_sampler_says_what_its_operator_lacks():
    with pytest.raises(
        TypeError,
        match=r"DDNM needs operator.pinv, which Gamma does not have; "
        "try sampler=auto or sampler=gdp_linesearch",
    ):
        DDNM()(white(), Gamma(), torch.zeros(1, 3, 4, 4))


def test_bad_seeds():
    with pytest.raises(ValueError, match="seeds"):
        DDNM(schedule=Schedule(2))(white(), Identity(), torch.zeros(2, 3, 4, 4), seeds=[1])


def test_noise_is_counted_and_apart():
    x = torch.zeros(2, 3, 4, 4)
    first = Noise([1, 2])
    a, b = first.like(x), first.like(x)
    later = Noise([1, 2], draws=1)
    torch.testing.assert_close(later.like(x), b, atol=0, rtol=0)
    assert not torch.allclose(a, b) and not torch.allclose(a[0], a[1])
    assert not torch.allclose(a, Noise([1, 2], "start").like(x)) and not torch.allclose(
        a, Noise([1, 2], "degrade").like(x)
    )
    torch.testing.assert_close(Noise([-1]).like(x[:1]), Noise([2**64 - 1]).like(x[:1]))
    with pytest.raises(ValueError, match="purpose"):
        Noise([1], "other")


class Gain(AffineOperator):
    """Half the light: linear in [0, 1], affine in [-1, 1]."""

    def forward(self, x):
        return 0.5 * (x + 1) - 1


@pytest.mark.parametrize("name", ["ddnm", "gdp_linesearch"])
def test_affine_operators_are_made_linear(name):
    truth, A = (MU + TAU * torch.randn(1, 3, 8, 8)), Gain()
    out = sampler_of(name, 10)(white(), A, A(truth))
    assert out.operator is A
    torch.testing.assert_close(out.x, truth, atol=1e-3, rtol=0)


def test_photons_and_impulses():
    x = torch.full((2, 3, 100, 100), 0.25)
    p = photons(x, 50, [1, 2])
    assert float(p.mean()) == pytest.approx(0.25, abs=0.003) and float(p.var()) == pytest.approx(
        0.25 / 50, rel=0.05
    )
    assert torch.equal(photons(x[1:], 50, [2]), p[1:]) and not torch.equal(p[0], p[1])
    i = impulses(x, 0.2, [1, 2])
    assert float((i == 0).float().mean()) == pytest.approx(0.1, abs=0.01) and float(
        (i == 1).float().mean()
    ) == pytest.approx(0.1, abs=0.01)
    assert torch.equal(i[:, 0], i[:, 1] * 1.0) and torch.equal(x, torch.full_like(x, 0.25))


def test_photon_noise_counts_into_sigma_y():
    A = Identity()
    y, A = degrade(torch.full((1, 3, 60, 60), 0.5), A, 0.03, [0], poisson=100)
    assert A.sigma_y == pytest.approx(2 * (0.03**2 + 0.5 / 100) ** 0.5) and float(
        y.std()
    ) == pytest.approx(A.sigma_y, rel=0.05)


def test_ddrm_with_eta_b_of_1_is_ddnm_plus():
    for A, sigma_y in ((AvgPool(2), 0.2), (RandomMask(), 0.1), (Identity(), 0.3), (Gray(), 0.0)):
        A.sigma_y = sigma_y
        y = A(MU + TAU * torch.randn(2, 3, 8, 8))
        ddrm, ddnm = (cls(schedule=Schedule(12)) for cls in (DDRM, DDNM))
        ddrm.start = super(DDRM, ddrm).start  # DDNM+ begins with white noise
        torch.testing.assert_close(ddrm(white(), A, y).x, ddnm(white(), A, y).x, atol=2e-5, rtol=0)
        A.sigma_y = 0.0


def test_pigdm_finds_the_posterior_mean():
    """The gradient of a Gaussian's denoiser is exact, so that PiGDM errs by its r^2 alone."""
    A, N = AvgPool(2), 300
    A.sigma_y = 0.2
    y = A(MU + TAU * torch.randn(1, 3, 8, 8)) + 0.2 * torch.randn(1, 3, 4, 4)
    x = PiGDM(schedule=Schedule(200))(white(), A, y.expand(N, -1, -1, -1).contiguous()).x.mean(
        0, keepdim=True
    )
    shrink = A.s**2 * TAU**2 / (A.s**2 * TAU**2 + A.sigma_y**2)
    exact = MU + shrink * A.pinv(y - A(torch.full_like(x, MU)))
    assert (x - exact).norm() < 0.35 * (A.pinv(y) - exact).norm()


@pytest.mark.parametrize("cls", [DPS, MCG])
def test_strength_through_the_network_does_not_depend_on_the_steps(cls):
    A, shape, covariance = AvgPool(2), (1, 3, 6, 6), smooth()
    truth = MU + (
        torch.randn(1, 108).double() @ torch.linalg.cholesky(covariance + 1e-9 * torch.eye(108)).T
    ).view(shape)
    y = A(truth.float()).expand(32, -1, -1, -1).contiguous()
    exact = posterior(A, y[:1], covariance, shape)
    prior = GaussianPrior(MU, covariance=covariance)
    outs = [
        cls(schedule=Schedule(n, spacing="respaced"))(prior, A, y).x.mean(0) for n in (100, 400)
    ]
    errors = [float((x - exact).norm() / exact.sub(MU).norm()) for x in outs]
    assert max(errors) < 0.5 and max(errors) < 2 * min(errors) + 0.1


def test_gradients_through_the_network_are_the_same_recomputed(photo64, monkeypatch):
    x = torch.randn(1, 3, 16, 16, requires_grad=True)
    kept = [torch.autograd.grad(photo64(x, 300).x0.square().sum(), x)[0]]
    monkeypatch.setattr(gradients, "ready", lambda *_: None)
    photo64.net.train()  # torch's own way, which keeps every activation; there is no dropout
    kept.append(torch.autograd.grad(photo64(x, 300).x0.square().sum(), x)[0])
    photo64.net.eval()
    torch.testing.assert_close(*kept, rtol=1e-4, atol=1e-4 * float(kept[0].abs().max()))


@pytest.mark.parametrize("name", ["ddnm", "gdp_linesearch", "ddrm", "diffpir", "daps"])
def test_late_start_begins_with_what_y_tells(name):
    """start=auto: later for a mask that loses little than for one that loses nearly all, and
    nearer the truth at few steps.
    """
    few, many = (
        automatic_start(white(), RandomMask(rate=rate), torch.zeros(1, 3, 24, 24))
        for rate in (0.05, 0.9)
    )
    assert few <= many <= 1
    A = AvgPool(2)
    y = A(torch.nn.functional.avg_pool2d(MU + 3 * TAU * torch.randn(1, 3, 24, 24), 5, 1, 2))
    sampler, seen = sampler_of(name, 5, "sampler.schedule.start=auto"), []
    x = sampler(GaussianPrior(MU, 0.1), A, y, on_step=lambda t, x, x0: seen.append(t)).x
    assert x.isfinite().all() and len(seen) == 5 and max(seen) < 950


@pytest.mark.parametrize(
    "A",
    [WalshHadamard(0.3), BlockSensing(0.4, size=16), FourierSampling(0.3)],
    ids=lambda A: type(A).__name__,
)
@pytest.mark.parametrize("sigma_y", [0.0, 0.1])
def test_least_variation_finds_flat_areas_again(A, sigma_y):
    """It agrees with y as far as y's noise goes, varies less than A^+ y, and is far nearer to a
    picture of flat areas.
    """
    A.sigma_y = sigma_y
    x = torch.full((1, 3, 32, 32), -0.5)
    x[..., 5:20, 8:27] = 0.6
    x[:, 0, 12:, :13] = 0.1
    y = A(x)
    y = y + sigma_y * (y != 0) * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    guess, plain = first_guess(A, y), A.pinv(y)
    assert (A(guess) - y).square().mean().sqrt() < (1e-5 if sigma_y == 0 else sigma_y)
    assert gradient(guess).abs().sum() < gradient(plain).abs().sum()
    far = (
        1.0 if isinstance(A, FourierSampling) else 0.8 if sigma_y else 0.5
    )  # whole columns of its plane are missing
    assert (guess - x).norm() < far * (plain - x).norm()


def test_divergence_is_minus_the_adjoint_of_the_gradient():
    x, p = torch.randn(2, 3, 5, 1), torch.randn(2, 2, 3, 5, 1)
    assert (gradient(x) * p).sum().item() == pytest.approx(
        -(x * divergence(p)).sum().item(), abs=1e-4
    )


def test_a_near_guess_is_refined_and_a_far_one_drawn_anew():
    """Less noise to start from, and less of it; not where A is found along with the picture."""

    class Blind(AvgPool):
        def __init__(self):
            super().__init__(2)
            self.gain = torch.nn.Parameter(torch.ones(()))

    sampler = Anchored()
    assert (
        sampler.hides(AvgPool(2), 0.5) == pytest.approx(0.4)
        and sampler.hides(AvgPool(2), 1.5) == sampler.hides(Blind(), 1.5) == 3
    )
    assert (
        Auto().hides(AvgPool(2), 0.5) == sampler.hides(AvgPool(2), 0.5)
        and sampler.hides(Blind(), 0.5) == 1
    )
    prior, x = white(), torch.zeros(1, 3, 64, 64)
    near = next(t for t in range(1, 1001) if prior.sigma(t) > 0.5)
    for A, t, share in ((AvgPool(2), near, 0.4), (Blind(), near, 1.0), (AvgPool(2), 900, 1.0)):
        noise = sampler.noised(prior, A, x, t, Noise([0])).std().item()
        assert noise == pytest.approx(share * (1 - prior.a(t)) ** 0.5, rel=0.05)


def test_first_guess_is_of_the_photos_shape():
    for A, y in (
        (AvgPool(2), torch.randn(1, 3, 4, 4)),
        (Gain(), torch.randn(1, 3, 4, 4)),
        (Gamma(), torch.rand(1, 3, 4, 4)),
    ):
        assert first_guess(A, y).shape == A.x_shape(y)
    noisy = AvgPool(2)
    noisy.sigma_y = 0.5
    y = torch.randn(1, 3, 4, 4)
    assert first_guess(noisy, y).norm() < noisy.pinv(y).norm()


def test_sampling_that_diverges_says_when_and_why():
    class Broken(GaussianPrior):
        def predict(self, x, t):
            eps, v = super().predict(x, t)
            return (eps * float("nan") if t < 500 else eps), v

    with pytest.raises(
        ValueError, match=r"NaN or infinity by step \d+ of 20 .*prior.dtype=float32"
    ):
        DDNM(schedule=Schedule(20))(Broken(), Identity(), torch.zeros(1, 3, 4, 4))
