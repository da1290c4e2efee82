"""As few calls as help: their number follows from the problem; one is enough for white noise."""

from dataclasses import replace

import pytest
import torch

from gdp.compose.configuration import build, compose
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.base import ROUNDED, SpectralOperator
from operators.blur import blur
from operators.blur.kernels import gaussian
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.missing.gray import Gray
from operators.missing.mask import RandomMask
from operators.noise.whitened import whiten
from operators.size.avgpool import AvgPool
from operators.tools.transforms import dct2, idct2
from samplers.anchored import Anchored
from samplers.auto import Auto
from samplers.gdp_linesearch import GDPLineSearch
from samplers.low_res_first import LowResFirst
from samplers.mixing import last
from samplers.restorer import Run
from samplers.start import first_guess, noise_alone, seen
from samplers.start.few import ROUNDED_START
from tests.samplers.test_samplers import Gamma, Plain

MU, TAU = 0.2, 0.3


class Coloured(SpectralOperator):
    """Divides each cosine coefficient by the std of its noise, relative to sigma_y: whitening."""

    def __init__(self, ratio=4.0):
        super().__init__()
        self.ratio = ratio

    def std(self, x):
        k = sum(torch.meshgrid(*(torch.linspace(0, 1, n) for n in x.shape[-2:]), indexing="ij"))
        return self.ratio ** (0.5 - k / 2)

    def forward(self, x):
        return idct2(dct2(x) / self.std(x))

    adjoint = forward

    def pinv(self, y):
        return idct2(dct2(y) * self.std(y))

    def spectral(self, x, f):
        return idct2(f(1 / self.std(x)) * dct2(x))


def white():
    return GaussianPrior(MU, TAU)


def truth(n=32, batch=1):
    return MU + TAU * torch.randn(batch, 3, n, n)


def noisy(A, sigma_y, x):
    A = A.with_noise(sigma_y)
    return A, A(x) + sigma_y * torch.randn_like(A(x))


@pytest.mark.parametrize("sigma_y", [0.1, 0.2, 0.4, 1.0])
def test_white_noise_takes_one_call_which_gives_the_posterior_mean(sigma_y):
    prior = white()
    A, y = noisy(Identity(), sigma_y, truth())
    x = Auto()(prior, A, y).x
    exact = MU + TAU**2 / (TAU**2 + sigma_y**2) * (y - MU)
    assert prior.calls == 1
    assert (x - exact).norm() < 0.05 * (y - exact).norm()


def test_the_one_step_that_is_asked_for_is_that_call():
    A, y = noisy(Identity(), 0.2, truth())
    asked = Anchored(schedule=Schedule(1, start="auto", spacing="squared", end="auto"))
    torch.testing.assert_close(asked(white(), A, y).x, Anchored()(white(), A, y).x)
    assert asked.at_once(A, y)
    assert not asked.finds(AvgPool(2), AvgPool(2)(truth()))
    assert not replace(asked, detail=0.5).finds(A, y)


def test_how_noise_arrives_in_x():
    """Singular values s of equal size: sigma_y / s, on the share of x that is seen."""
    shape = (1, 3, 64, 64)
    for A, std, even in (
        (Identity(), 0.2, 1.0),
        (Coloured(1.0), 0.2, 1.0),
        (AvgPool(4), 0.8, 1 / 16),
        (Gray(), 0.2 / Gray().s, 1 / 3),
        (RandomMask(rate=0.25), 0.2, 0.75),
    ):
        A = A.with_noise(0.2)
        found = seen(A, A(torch.zeros(shape)))
        assert found.std == pytest.approx(std, rel=1e-3) and found.even == pytest.approx(
            even, rel=0.1
        )
        assert noise_alone(A, A(torch.zeros(shape))) == found.whole == (even == 1.0)
    coloured = seen(Coloured(9.0).with_noise(0.2), torch.zeros(shape))
    assert coloured.whole and coloured.even < 0.9
    assert noise_alone(Coloured(9.0).with_noise(0.2), torch.zeros(shape))
    assert not noise_alone(Identity().with_noise(ROUNDED), torch.zeros(shape))
    assert seen(Gamma().with_noise(0.2), torch.zeros(shape)).even == 0.0
    assert seen(blur(gaussian(9, 2.0)).with_noise(0.2), torch.zeros(shape)).even < 0.5


def calls(A, sigma_y, **settings):
    prior = white()
    A, y = noisy(A, sigma_y, truth())
    Anchored(**settings)(prior, A, y)
    return prior.calls


def test_calls_follow_from_the_problem():
    """More for a wider span of noise and a higher rate; a far guess has fewer a halving."""
    assert calls(Identity(), 0.2) == 1
    assert calls(Coloured(), 0.2) == 3 and calls(Coloured(40.0), 0.02) == 3
    assert calls(Coloured(40.0), 0.08) == 5  # much, and blotchy
    few, some, many = (calls(AvgPool(2), 0.0, rate=rate) for rate in (1.0, 2.0, 4.0))
    assert 1 < few < some < many <= 30
    assert calls(Identity(), 0.2, schedule=Schedule(3, start="auto", spacing="squared", end="auto"))
    assert calls(AvgPool(2), 0.1, draws=3) == 3 * calls(AvgPool(2), 0.1)


@pytest.mark.parametrize("quality, subsampling", [(75, 2), (92, 2), (92, 1)])
def test_a_noisy_jpeg_takes_few_calls(quality, subsampling):
    """Fine colour that a codec did not store is little; a mask's holes and grey are not."""
    x = MU + TAU * torch.randn(1, 3, 1, 1).expand(1, 3, 64, 64) + 0.1 * torch.randn(1, 3, 64, 64)
    jpeg = JPEG(quality=quality, subsampling=subsampling)
    A, y = jpeg.with_noise(0.1).whitened(x)
    assert seen(A, y).stored and not seen(A, y).whole
    for rate, detail, most in ((1.5, 0.0, 3), (2.5, 0.0, 3), (5.0, 0.0, 4), (2.5, 1.0, 10)):
        prior = white()
        Auto(rate=rate, detail=detail)(prior, A, y)
        assert 2 <= prior.calls <= most
    assert noise_alone(A, y) and not noise_alone(*jpeg.with_noise(0.005).whitened(x))

    # Not so where it is the codec's own errors that are to be undone, or all was stored.
    assert not seen(*jpeg.with_noise(0.005).whitened(x)).stored
    whole, y = JPEG(quality=quality, subsampling=0).with_noise(0.1).whitened(x)
    assert seen(whole, y).whole and not seen(whole, y).stored
    for other in (RandomMask(rate=0.5), Gray(), Identity(), AvgPool(2)):
        assert not seen(other.with_noise(0.1), other(x)).stored


@pytest.mark.parametrize("quality", [8, 40, 92])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_what_a_codec_rounded_is_undone_from_where_it_is_hidden(quality, subsampling):
    """Much of it is to be invented, also where all colours were stored."""
    x = MU + TAU * torch.randn(1, 3, 1, 1).expand(1, 3, 64, 64) + 0.1 * torch.randn(1, 3, 64, 64)
    jpeg = JPEG(quality=quality, subsampling=subsampling).with_noise(0.002)
    A, y = jpeg.whitened(jpeg(x))
    found = seen(A, y)
    assert found.rounded and found.whole == (subsampling == 0) and not found.stored

    prior = white()
    schedule = Auto().timed(prior, A, y)
    low, top = schedule.ends(prior.T)
    assert prior.sigma(top) < 1.1 * ROUNDED_START and prior.sigma(low) < 0.1
    assert 6 <= Auto().passes(prior.T, A, y)[0] <= 20
    assert not seen(*JPEG(quality=quality, subsampling=0).with_noise(0.9).whitened(x)).rounded


def test_a_file_tells_whether_there_is_more_noise_than_it_rounded():
    """Also where that noise lies as unevenly over the frequencies as a codec's rounding does."""
    x, jpeg = torch.zeros(1, 3, 64, 64), JPEG(quality=90, subsampling=2)
    blotches = torch.full((3, 8, 8), 0.01, dtype=torch.float64)
    blotches[:, :2, :2] = 0.5
    for noise, stored in ((blotches, True), (0.01 * blotches, False)):
        A, y = Compressed(Identity(), jpeg, 0.02, noise).whitened(x)
        found = seen(A, y)
        assert found.even < 0.4 and found.stored == A.beyond_rounding == stored


def test_one_start_and_end_may_be_given():
    schedule = Schedule("auto", start=0.2, spacing="squared", end="auto")
    seen_times = []
    A, y = noisy(AvgPool(2), 0.0, truth())
    Anchored(schedule=schedule)(white(), A, y, on_step=lambda t, x, x0: seen_times.append(t))
    assert seen_times[0] == 200 and seen_times == sorted(seen_times, reverse=True)


def test_steps_of_ones_own_are_made():
    for A in (Identity(), AvgPool(2)):
        schedule = Schedule(6, start="auto", spacing="squared", end="auto")
        assert calls(A, 0.2, schedule=schedule) == 6


@pytest.mark.parametrize("ratio", [3.0, 20.0])
def test_coloured_noise_comes_near_the_wiener_filter(ratio):
    """Closed form for a Gaussian prior: each coefficient is weighed by its own noise."""
    A, y = noisy(Coloured(ratio), 0.2, truth(48))
    std = 0.2 * A.std(y)
    weight = TAU**2 / (TAU**2 + std**2)
    exact = MU + idct2(weight * dct2(A.pinv(y) - MU))
    x = Auto()(white(), A, y).x
    plain = A.pinv(y)
    assert (x - exact).norm() < 0.35 * (plain - exact).norm()


def test_the_last_picture_takes_what_y_says_beyond_the_state():
    x0, x = truth(), truth()
    A, y = noisy(Identity(), 0.2, x)
    assert torch.equal(last(x0, A, y, 0.2), x0) and torch.equal(last(x0, A, y, 0.1), x0)
    assert (last(x0, A, y, 2.0) - y).norm() < 0.2 * (x0 - y).norm()
    pooled, small = noisy(AvgPool(2), 0.1, x)
    by_values = last(x0, pooled, small, 1.0)
    by_prox = last(x0, Plain(AvgPool(2)).with_noise(0.1), small, 1.0)
    assert (by_values - by_prox).norm() < 0.1 * (by_values - x0).norm()


def test_the_mean_of_draws_is_nearer_than_one():
    A, x = RandomMask(rate=0.5), truth(24)
    y = A(x)
    exact = torch.where(A.known(y), y, MU)
    errors = [float((Anchored(draws=n)(white(), A, y).x - exact).norm()) for n in (1, 6)]
    assert errors[1] <= errors[0]


def test_draws_differ_by_less_fresh_noise(monkeypatch):
    """Where they differ their mean is smooth."""
    asked = []
    redraw = Anchored.redraw

    def spied(self, *arguments):
        asked.append(self.fresh)
        return redraw(self, *arguments)

    monkeypatch.setattr(Anchored, "redraw", spied)
    A = AvgPool(2)
    Anchored(draws=2, fresh=0.6)(white(), A, A(truth(24)))
    assert asked and asked == pytest.approx([0.45] * len(asked))


def test_noise_is_measured_on_a_part_of_a_large_picture():
    """Of what a JPEG rounds, which is the same all over."""
    jpeg = JPEG(88, 2)
    W = jpeg.block_whitening(0.1, torch.full((3, 8, 8), 0.08))
    A = whiten(Identity(), W)
    small, large = (seen(A, torch.zeros(1, 3, n, n)) for n in (512, 1024))
    assert small == large
    there = seen(A, torch.zeros(1, 3, 256, 256))
    assert there.std == pytest.approx(small.std, rel=0.02)
    assert there.even == pytest.approx(small.even, rel=0.02) and not there.whole


def test_a_first_guess_of_fine_colour_agrees_with_y():
    """It is smoothed once, and is as near to what all rounds of smoothing lead to."""
    jpeg, x = JPEG(88, 2), truth(48)
    x = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(x, (3,) * 4, mode="reflect"), 7, 1)
    A = whiten(Identity(), jpeg.block_whitening(0.02, torch.full((3, 8, 8), 0.01)))
    assert A.fine
    quick = first_guess(A, A(x))
    A.fine = False
    slow = first_guess(A, A(x))
    assert float((quick - slow).abs().max()) < 0.01
    assert float((quick - x).square().mean()) < 1.1 * float((slow - x).square().mean()) + 1e-6


def test_detail_goes_from_the_mean_to_a_draw():
    """Of white noise: a draw has the variance of the photo, the mean has less; it moves evenly."""
    A, y = noisy(Identity(), 0.3, truth(64))
    stds = [float(Auto(detail=d)(white(), A, y).x.std()) for d in (0.0, 0.5, 1.0)]
    assert stds[0] < stds[1] < stds[2] < 1.1 * TAU
    a, b = (Auto()(white(), A, y, seeds=[k]).x for k in (0, 1))
    assert torch.equal(a, b)
    with_more, with_less = (
        [Auto(detail=d)(white(), AvgPool(2), AvgPool(2)(y), seeds=[k]).x for k in (0, 1)]
        for d in (1.0, 0.0)
    )
    assert (with_more[0] - with_more[1]).norm() > 1.2 * (with_less[0] - with_less[1]).norm()


@pytest.mark.parametrize("draws", [1, 3])
def test_detail_is_a_line_from_the_mean_to_a_draw(draws):
    """Both by the program itself, at any noise and where A has a null space."""
    for degradation, sigma_y in ((Identity(), 0.4), (AvgPool(4), 0.0)):
        A, y = noisy(degradation, sigma_y, truth(64))
        prior = white()
        mean, middle, draw = (
            Auto(detail=d, draws=draws)(prior, A, y, seeds=[3]).x for d in (0.0, 0.4, 1.0)
        )
        prior.calls, told = 0, []
        Auto(detail=0.4, draws=draws).restore(prior, A, y, Run(seeds=[3], on_pass=told.append))
        assert sum(part.calls for part in told) == prior.calls

        assert (middle - (0.6 * mean + 0.4 * draw)).abs().max() < 1e-5
        assert (draw - mean).std() > 0.05 and (sigma_y or (A(middle) - y).abs().max() < 1e-4)


def test_refusals():
    for wrong in ({"rate": 0}, {"draws": 0}, {"draws": True}, {"detail": 1.5}):
        for kind in (Anchored, Auto):
            with pytest.raises(ValueError, match=next(iter(wrong))):
                kind(**wrong)


def test_coarse_passes_are_left_out_where_noise_is_all():
    sampler = LowResFirst(Auto(), factors=[2], above=16)
    A, y = noisy(Identity(), 0.2, truth(64))
    prior = white()
    assert sampler.scales(A, y) == [] and sampler.passes(1000, A, y) == [1]
    sampler(prior, A, y)
    assert prior.calls == 1 and sampler.scales(AvgPool(2), y) == [2]
    sampler(prior, AvgPool(2), truth(32))


def test_words_of_the_command_line():
    plain, fast, best = (
        build(compose("lowres=none", *words)).sampler
        for words in ((), ("quality=fast",), ("quality=best", "detail=0.3"))
    )
    assert plain.rate > fast.rate and best.draws > plain.draws == 1 and best.detail == 0.3
    assert build(compose("lowres=none", "quality=best", "steps=7")).sampler.schedule.steps == 7
    assert (
        build(compose("lowres=none", "quality=fast", "sampler=ddnm")).sampler.schedule.steps == 10
    )
    with pytest.raises(ValueError, match=r"detail=0.5 is of sampler=auto"):
        build(compose("sampler=ddnm", "detail=0.5"))
    with pytest.raises(ValueError, match="detail"):
        build(compose("detail=0.5"), objects={"sampler": Auto()})


def test_operators_without_a_proximal_map_get_steps_in_proportion():
    steps = [
        Auto(rate=r, draws=d).for_operator(Gamma()).schedule.steps for r, d in ((2.5, 1), (5, 2))
    ]
    assert steps[1] == 4 * steps[0]
    assert isinstance(Auto().for_operator(Gamma()), GDPLineSearch)
    assert replace(Auto(), rate=1.0).for_operator(AvgPool(2)).rate == 1.0
