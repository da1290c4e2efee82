"""Pictures shown to the network turned and mirrored: how, when, and that nothing else changes."""

import pytest
import torch
from torch import nn

from gdp.compose.configuration import compose
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior
from gdp.prior.schedule import betas
from gdp.prior.symmetry import ORIENTATIONS, orientation, turn, turn_back
from gdp.prior.tiling import TiledPrior
from tests.prior.test_prior import tiny


class Seen(nn.Module):
    """A network that remembers what it was shown, and of which each pixel sees itself alone."""

    divisor = 4

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen = []

    def forward(self, x, timesteps, labels=None):
        self.seen.append(x)
        return torch.cat([self.weight * x.tanh(), x], 1)


def symmetric(net, symmetry="square"):
    prior = Prior(net, betas())
    prior.symmetry = symmetry
    return prior.requires_grad_(False)


def test_ways():
    """Eight, all different, and each can be undone."""
    x = torch.arange(2 * 3 * 5 * 7.0).view(2, 3, 5, 7)
    made = [turn(x, k) for k in range(8)]
    assert all(torch.equal(turn_back(y, k), x) for k, y in enumerate(made))
    assert len({(y.shape, tuple(y.flatten().tolist())) for y in made}) == 8 and torch.equal(
        made[0], x
    )
    assert (
        torch.equal(made[1], x.flip(-1))
        and torch.equal(made[2], x.flip(-2))
        and torch.equal(made[4], x.transpose(-1, -2))
    )


@pytest.mark.parametrize("symmetry", ORIENTATIONS)
def test_when(symmetry):
    """By t alone, each about as often as the others, along strides too."""
    ways = [orientation(symmetry, t) for t in range(1, 1001)]
    assert set(ways) == set(range(ORIENTATIONS[symmetry])) and ways == [
        orientation(symmetry, t) for t in range(1, 1001)
    ]
    for stride in (1, 5):
        counts = torch.bincount(torch.tensor(ways[::stride]))
        assert counts.min() > 0.5 * counts.float().mean()


@pytest.mark.parametrize("symmetry", ORIENTATIONS)
def test_a_network_that_knows_no_direction_says_the_same(symmetry):
    """Whatever the size: what is padded is cut off again."""
    x, net = torch.randn(2, 3, 10, 7), Seen()
    prior = symmetric(net, symmetry)
    for t in range(1, 20):
        eps, x0, v = prior(x, t)
        assert torch.equal(eps, x.tanh()) and torch.equal(v, x) and x0.shape == x.shape
    assert len({tuple(z.flatten().tolist()) for z in net.seen}) == (
        1 if symmetry == "none" else len({orientation(symmetry, t) for t in range(1, 20)})
    )


def test_what_the_network_is_shown():
    """The picture, turned; its answer is turned back, and may be differentiated."""
    net, x = tiny(), torch.randn(1, 3, 8, 16, requires_grad=True)
    prior, plain = symmetric(net), Prior(net, betas())
    t = next(t for t in range(1, 99) if orientation("square", t) == 5)
    eps, want = prior(x, t).eps, turn_back(plain(turn(x, 5), t).eps, 5)
    assert torch.equal(eps, want) and not torch.allclose(eps, plain(x, t).eps)
    assert torch.equal(*(torch.autograd.grad(e.square().sum(), x)[0] for e in (eps, want)))


def test_tiles_lie_as_the_whole_does():
    net = Seen()
    tiled, x = TiledPrior(symmetric(net), tile=8, overlap=4), torch.randn(1, 3, 20, 12)
    for t in (10, 11, 12):
        torch.testing.assert_close(tiled(x, t).eps, x.tanh())
    assert tiled.symmetry == "square"


def test_what_is_reused_lies_as_it_lay():
    """Calls that reuse deep features show the picture as it lay then, after a resumption too."""
    net, x = tiny(), torch.randn(1, 3, 8, 8)
    reusing = ReusingPrior(symmetric(net), 3)
    times = range(900, 840, -5)
    with torch.no_grad():
        ways = [(reusing(x, t), reusing.orientation(t))[1] for t in times]
        wholes = [orientation("square", t) for t in times][::3]
        assert ways == [k for k in wholes for _ in range(3)] and len(set(ways)) > 1
        reusing(x, 800), reusing(x, 799)
        other = ReusingPrior(symmetric(net), 3)
        other.resume(reusing.state())
        assert torch.equal(other(x, 798).eps, reusing(x, 798).eps) and other.orientation(
            798
        ) == orientation("square", 800)


def test_shipped():
    """The prior of texture is shown pictures in all ways; those that know things as they are."""
    assert compose().prior.symmetry == "square"
    for name in ("imagenet256", "celebahq256", "custom", "hub"):
        assert compose(f"prior={name}").prior.symmetry == "none"
