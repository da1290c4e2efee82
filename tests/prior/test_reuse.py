"""Deep features that serve several calls: what is reused, and when they are made afresh."""

import pytest
import torch

from gdp.compose.configuration import build, compose
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior
from gdp.prior.schedule import Schedule, betas
from gdp.prior.tiling import TiledPrior
from operators.size.avgpool import AvgPool
from samplers.anchored import Anchored
from samplers.dps import DPS
from tests.prior.test_prior import tiny
from tests.test_cli import cli  # noqa: F401


@pytest.fixture
def net():
    """A small UNet that counts the calls of its middle block."""
    unet = tiny()
    unet.middle = 0
    unet.middle_block.register_forward_hook(lambda *_: setattr(unet, "middle", unet.middle + 1))
    return unet


def test_whole_calls_are_those_of_the_network(net):
    prior, x = Prior(net, betas()), torch.randn(2, 3, 16, 24)
    reusing = ReusingPrior(prior, 2)
    with torch.no_grad():
        assert torch.equal(reusing(x, 900).eps, prior(x, 900).eps)
        other = x + 0.1 * torch.randn_like(x)
        shallow = reusing(other, 880).eps
        exact = prior(other, 880).eps
        assert not torch.equal(shallow, exact)  # the deep levels are those of 900
        assert torch.equal(reusing(x, 860).eps, prior(x, 860).eps)
    assert reusing.calls == 3 and reusing.pixels == 3 * 2 * 16 * 24


@pytest.mark.parametrize("every, calls", [(1, 12), (2, 6), (3, 4), (5, 3)])
def test_how_often_the_deep_levels_are_asked(net, every, calls):
    with torch.no_grad():
        Anchored(schedule=Schedule(12))(
            ReusingPrior(Prior(net, betas()), every), AvgPool(2), torch.zeros(1, 3, 8, 8)
        )
    assert net.middle == calls


def test_another_restoration_starts_afresh(net):
    """As does another size, and a trip back in time."""
    prior = ReusingPrior(Prior(net, betas()), 10)
    sampler, y = Anchored(schedule=Schedule(4)), torch.zeros(1, 3, 8, 8)
    first = sampler(prior, AvgPool(2), y).x
    assert torch.equal(sampler(prior, AvgPool(2), y).x, first) and net.middle == 2
    x = torch.zeros(1, 3, 16, 16)
    with torch.no_grad():
        for t, size, asked in ((100, 16, 3), (90, 16, 3), (80, 8, 4), (70, 8, 4), (75, 8, 5)):
            prior(x[..., :size], t)
            assert net.middle == asked
    assert prior.own().deep is None


def test_gradients_and_tiles_reuse_nothing(net):
    y = torch.zeros(1, 3, 8, 8)
    DPS(schedule=Schedule(3))(ReusingPrior(Prior(net, betas()), 3), AvgPool(2), y)
    assert net.middle >= 3
    net.middle = 0
    tiled = TiledPrior(ReusingPrior(Prior(net, betas()), 3), tile=16, overlap=4)
    x = torch.randn(1, 3, 24, 24)
    with torch.no_grad():
        plain = TiledPrior(Prior(net, betas()), tile=16, overlap=4)
        for t in (500, 480):
            assert torch.equal(tiled(x, t).eps, plain(x, t).eps)


@pytest.mark.parametrize("every", [0, -1, True, 1.5, "2"])
def test_refusals(net, every):
    with pytest.raises(ValueError, match="whole number of calls"):
        ReusingPrior(Prior(net, betas()), every)
    with pytest.raises(ValueError, match="several levels"):
        ReusingPrior(GaussianPrior(), 2)


def test_from_the_command_line(cli, cat):  # noqa: F811
    code, _, err = cli(f"input={cat}", "steps=4", "output=o", "reuse=2")
    assert code == 0, err
    code, _, err = cli(f"input={cat}", "steps=4", "output=p", "reuse=0")
    assert code == 2 and "reuse=0" in err and "1 reuses nothing" in err


@pytest.mark.parametrize(
    "words, every",
    [
        (["quality=fast"], 1),
        (["quality=fast", "sampler=ddnm"], 2),
        (["quality=fast", "sampler=ddnm", "reuse=1"], 1),
        (["quality=fast", "sampler=ddnm", "steps=10"], 1),
        (["quality=fast", "sampler=ddnm", "task=compressed_sensing"], 1),
        (["quality=balanced"], 1),
        (["task=compressed_sensing", "reuse=3"], 3),
        ([], 1),
    ],
)
def test_what_is_fast(words, every):
    prior = build(compose(*words)).load_prior().prior
    assert getattr(prior, "every", 1) == every


def test_fast_with_a_prior_that_cannot():
    setup = build(compose("quality=fast"), objects={"prior": GaussianPrior()})
    assert isinstance(setup.load_prior().prior, GaussianPrior)
    with pytest.raises(ValueError, match="several levels"):
        build(compose("reuse=2"), objects={"prior": GaussianPrior()}).load_prior()
