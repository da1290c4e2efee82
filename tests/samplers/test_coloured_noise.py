"""Samplers that descend, of photos whose noise is not white: they get y as it is, and end above."""

import pytest
import torch

from gdp.restore.noise.model import BRIGHTNESSES, FREQUENCIES, OPPONENT, NoiseModel
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.noise.whitened import Whitened
from operators.size.avgpool import AvgPool
from samplers.auto import Auto
from samplers.gdp_linesearch import GDPLineSearch
from samplers.low_res_first import LowResFirst
from tests.conftest import sampler_of
from tests.photos import astronaut

DESCEND = ("gdp_linesearch", "gdp_x0", "gdp_x0_paper", "gdp_xt_v1", "reddiff", "dds", "dps", "mcg")
WEIGH = ("auto", "anchored", "ddnm", "ddrm", "pigdm", "diffpir", "daps")


def blotches():
    """White noise after a Gaussian blur of a pixel, of rms 0.06 in [0, 1] units."""
    k = torch.arange(FREQUENCIES) / FREQUENCIES
    std = torch.exp(-((torch.pi * k[:, None]) ** 2 + (torch.pi * k) ** 2) / 2).clamp_min(0.005)
    model = NoiseModel(std.expand(3, -1, -1), torch.ones(BRIGHTNESSES), OPPONENT)
    return model.scaled(0.06)


def problem(side=64):
    """x, y with such noise, and the identity that knows of it."""
    x, model = astronaut(side), blotches()
    W = model.whiten(Identity(), x)[0].W
    z = W.sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    A = Identity().with_noise(2 * model.std).with_whitening(model.whiten)
    return x, x + W.inverse(z), A


def test_whether_y_is_whitened_is_the_sampler_s():
    _, y, A = problem()
    for name in DESCEND:
        posed, seen = sampler_of(name).posed(A, y)
        assert type(posed) is Identity and seen is y
        assert posed.sigma_y == pytest.approx(A.sigma_y, rel=0.1)
    for name in WEIGH:
        posed, seen = sampler_of(name).posed(A, y)
        assert isinstance(posed, Whitened) and not torch.equal(seen, y)

    # White noise, which every sampler gets as it came.
    white = Identity().with_noise(0.1)
    assert all(sampler_of(name).posed(white, y) == (white, y) for name in DESCEND + WEIGH)


def test_wrappers_ask_what_they_wrap():
    _, y, A = problem()
    assert type(LowResFirst(GDPLineSearch(), factors=[2]).posed(A, y)[0]) is Identity
    assert isinstance(LowResFirst(Auto(), factors=[2]).posed(A, y)[0], Whitened)


def test_of_a_jpeg_and_an_enlargement_too():
    _, y, A = problem()
    posed, seen = sampler_of("gdp_x0").posed(JPEG(50), y)
    assert type(posed) is Identity and seen is y and posed.sigma_y > 0.01
    small = AvgPool(2).with_noise(A.sigma_y).with_whitening(A.whitening)
    assert isinstance(sampler_of("dds").posed(small, y)[0], AvgPool)


@pytest.mark.parametrize(
    ("name", "steps"), [("gdp_linesearch", 10), ("gdp_x0", 10), ("dds", 10), ("dps", 40)]
)
def test_the_result_is_above_its_photo(name, steps, photo64):
    x, y, A = problem()
    sampler = sampler_of(name, steps)
    restored = sampler(photo64, *sampler.posed(A, y)).x
    assert (restored - x).square().mean() < (y - x).square().mean()
