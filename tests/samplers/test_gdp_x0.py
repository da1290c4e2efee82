"""GDP's Algorithm 2: its step by hand, what it does for a photo, and what N and scale are for."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from skimage import data

from gdp.prior.gaussian import GaussianPrior
from gdp.prior.noise import Noise
from gdp.prior.schedule import Schedule
from gdp.restore.observe import of_developed
from operators.base import Operator
from operators.blur.diagonal import DiagonalBlur
from operators.blur.kernels import gaussian
from operators.blur.known import blur
from operators.coded.sensing import WalshHadamard
from operators.identity import Identity
from operators.light import Light
from operators.light.tone import Clip
from operators.missing.mask import RandomMask
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from samplers.gdp_x0 import GDPx0
from samplers.guide.guidance import Guidance
from samplers.guide.losses import fidelity, total_variation
from samplers.start import automatic_end, guess_error
from tests.conftest import sampler_of


def picture(size=32):
    """A public-domain photo [1, 3, size, size] in [-1, 1]."""
    pixels = torch.from_numpy(data.astronaut()[20:276, 100:356]).float().permute(2, 0, 1)[None]
    return F.adaptive_avg_pool2d(pixels / 127.5 - 1, (size, size))


def misfit(A, x, y):
    """||A(x) - y||."""
    return float((A(x) - y).norm())


@pytest.mark.parametrize("N", [1, 3])
def test_a_step_is_the_algorithm_written_out(N):
    """With block means the minimum along the gradient of ||A x - y||^2 is A^+ (A x - y) away."""
    prior, A, x = GaussianPrior(0.1, 0.3), AvgPool(2), torch.randn(2, 3, 4, 4)
    y, t, s, scale = torch.rand(2, 3, 2, 2), 500, 480, 10.0

    x_s, x0 = GDPx0(scale=scale, N=N, fresh=1.0).step(x, t, s, prior, A, y, Noise([3, 4]), {})

    eps = prior(x, t).eps
    a, a_s = prior.a(t), prior.a(s)
    expected_x0 = ((x - (1 - a) ** 0.5 * eps) / a**0.5).clamp(-1, 1)
    x0_hat = expected_x0
    for _ in range(N):
        x0_hat = x0_hat - scale * (t - s) / 1000 * A.pinv(A(x0_hat) - y)
    beta = 1 - a / a_s
    mu = (a_s**0.5 * beta * expected_x0 + (a / a_s) ** 0.5 * (1 - a_s) * x) / (1 - a)
    std = (beta * (1 - a_s) / (1 - a)) ** 0.5
    expected = mu + x0_hat - expected_x0 + std * Noise([3, 4]).like(x)
    torch.testing.assert_close(x0, expected_x0)
    torch.testing.assert_close(x_s, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("A", "sigma_y"),
    [
        (RandomMask(), 0.0),
        (blur(gaussian(9, 2.0)), 0.0),
        (WalshHadamard(0.25), 0.0),
        (Identity(), 0.2),
        (Clip(), 0.0),
    ],
    ids=["mask", "blur", "sensing", "denoise", "clip, which is not linear"],
)
def test_it_ends_above_its_input(A, sigma_y, photo64):
    """Its input is A^+ y; y itself where A has none, or A^+ undoes a noiseless blur alone."""
    x, A = picture(64), A.with_noise(sigma_y)
    y = A(x)
    y = y + sigma_y * torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    plain = A.pinv(y) if A.offers("pinv") and not isinstance(A, DiagonalBlur) else y
    restored = sampler_of("gdp_x0", 20)(photo64, A, y).x
    assert (restored - x).norm() < (plain - x).norm()


class Curve(Operator):
    """A camera's response, which is not linear."""

    def forward(self, x):
        return ((x.clamp(-1, 1) + 1) / 2 + 0.1) ** 0.5


@pytest.mark.parametrize("A", [AvgPool(2), Curve()], ids=["means", "curve"])
def test_more_gradient_steps_and_larger_scales_follow_better(A):
    """Half way: in the end an exact y is met, whatever the scale."""
    y, prior = A(picture()), GaussianPrior(0.0, 0.4)
    half = Schedule(20, start=1.0, end=0.4, spacing="respaced")
    sampler = GDPx0(scale=5.0, schedule=half)

    def left(sampler):
        states = []
        sampler(prior, A, y, on_step=lambda t, x, x0: states.append(x0))
        return misfit(A, states[-2], y)

    assert left(replace(sampler, N=4)) < 0.9 * left(sampler)
    assert left(replace(sampler, scale=20.0)) < 0.9 * left(sampler)
    assert left(sampler) < 0.9 * left(replace(sampler, scale=0.0))


@pytest.mark.parametrize(
    "A", [AvgPool(4), Bicubic(4), RandomMask()], ids=["means", "bicubic", "mask"]
)
def test_an_exact_y_is_met(A, photo64):
    x = picture(64)
    restored = sampler_of("gdp_x0", 20)(photo64, A, A(x)).x
    assert misfit(A, restored, A(x)) < 1e-3 * A(x).norm()
    free = replace(sampler_of("gdp_x0", 20), scale=0.0)(photo64, A, A(x)).x
    assert misfit(A, free, A(x)) > 0.02 * A(x).norm()


def test_an_exact_y_is_not_met_all_at_once(photo64):
    """Else the last step would leave the blocks of A^+ in the picture."""
    A = AvgPool(4)
    restored = sampler_of("gdp_x0", 20)(photo64, A, A(picture(64))).x
    edges = restored.diff(dim=-1).abs().mean((0, 1, 2))
    inside = torch.cat([edges[k::4] for k in range(3)]).mean()
    assert edges[3::4].mean() < 1.28 * inside


def test_it_enlarges_better_than_bicubic(photo64):
    """With all of Sigma's noise it is a draw, and does not."""
    x, A, sampler = picture(64), AvgPool(4), sampler_of("gdp_x0", 20)
    y = A(x)
    plain, few, all_of_it = (
        float((z - x).norm())
        for z in (
            F.interpolate(y, (64, 64), mode="bicubic"),
            sampler(photo64, A, y).x,
            replace(sampler, fresh=1.0)(photo64, A, y).x,
        )
    )
    assert few < plain < all_of_it


@pytest.mark.parametrize("steps", [2, 4, 20, 100])
def test_any_number_of_steps_is_stable(steps):
    A, truth = AvgPool(2), picture()
    x = GDPx0(schedule=Schedule(steps, spacing="respaced"))(GaussianPrior(0, 0.4), A, A(truth)).x
    assert x.abs().max() < 3 and misfit(A, x, A(truth)) < misfit(A, 0 * truth, A(truth))


def test_quality_losses_join_in():
    A, y = Identity().with_noise(0.1), picture() + 0.1 * torch.randn(1, 3, 32, 32)
    terms = {"fidelity": [1.0, fidelity], "total_variation": [0.2, total_variation]}
    sampler = GDPx0(schedule=Schedule(20, spacing="respaced"))
    plain, smooth = (
        s(GaussianPrior(0.0, 0.4), A, y).x
        for s in (sampler, replace(sampler, guidance=Guidance(terms)))
    )
    assert total_variation(smooth, y, A) < total_variation(plain, y, A)


def test_of_a_noisy_y_less_noise_drawn_is_less_error(photo64):
    x, A = picture(64), Identity().with_noise(0.2)
    y = x + 0.2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    sampler = sampler_of("gdp_x0", 20)
    errors = [
        float((replace(sampler, fresh=fresh)(photo64, A, y).x - x).norm())
        for fresh in (sampler.fresh, 1.0)
    ]
    assert errors[0] < 0.95 * errors[1]
    with pytest.raises(ValueError, match=r"sampler.fresh=1.5; it is a share"):
        replace(sampler, fresh=1.5)


def test_a_light_that_shows_a_picture_of_its_own_starts_where_its_noise_hides_it(photo64):
    """Its error is that of what y shows in mended light, not that of another scene's picture."""
    dark = 2 * (0.1 * (picture(64) + 1) / 2) - 1
    y = dark + 0.03 * torch.randn(dark.shape, generator=torch.Generator().manual_seed(1))
    A, _ = of_developed(Light().with_noise(0.03), y, 0.0)
    bound = A.bind(y)
    assert bound.seen() is not None
    assert 0.1 < guess_error(bound, y) < 2

    # Nor is there anything to find below half of that noise.
    assert photo64.sigma(round(1000 * automatic_end(photo64, bound))) > 0.1
