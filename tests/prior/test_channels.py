"""A prior of three channels for pictures of one, two and many."""

import pytest
import torch

from gdp.prior.channels import ChannelPrior, triples_of
from gdp.prior.gaussian import GaussianPrior


@pytest.mark.parametrize("channels", [4, 5, 7, 16, 31])
def test_triples_cover_all_channels(channels):
    seen = [triples_of(channels, t) for t in range(1, 40)]
    for triples in seen:
        assert {k for triple in triples for k in triple} == set(range(channels))
        assert all(b == a + 1 and c == b + 1 for a, b, c in triples)
    assert channels == 4 or len({str(triples) for triples in seen}) > 1


def test_many_channels_are_what_each_triple_is():
    """A prior of independent channels says of each what it says of it among three."""
    inner = GaussianPrior(mean=0.2, std=0.3)
    prior, x = ChannelPrior(inner), torch.randn(2, 7, 6, 5)
    eps, x0, _ = prior(x, 300)
    first = torch.cat([inner(x[:, :3], 300).x0, inner(x[:, 3:6], 300).x0], 1)
    assert eps.shape == x.shape and (x0[:, :6] - first).abs().max() < 1e-5


def test_channels_that_stand_for_one_have_one_clean_image():
    """The mean of three looks at one picture: its noise is a third."""
    prior = ChannelPrior(GaussianPrior(std=1e3), (0, 0, 0))
    x = torch.randn(1, 3, 64, 64)
    _, x0, _ = prior(x, 200)
    assert (x0 - x0[:, :1]).abs().max() < 1e-4
    noise = ((1 - prior.a(200)) / prior.a(200)) ** 0.5
    mean = x.mean(1, keepdim=True) / prior.a(200) ** 0.5
    assert (x0[:, :1] - mean).abs().max() < 0.05 * noise
    prior = ChannelPrior(GaussianPrior(std=1e3), (0, 1, 1))
    x0 = prior(x, 200).x0
    assert (x0[:, 1] - x0[:, 2]).abs().max() < 1e-4 and (x0[:, 0] - x0[:, 1]).abs().max() > 0.1


def test_counts_are_the_other_priors():
    inner = GaussianPrior()
    inner(torch.zeros(1, 3, 4, 4), 5)
    prior = ChannelPrior(inner)
    prior(torch.zeros(1, 5, 4, 4), 5)
    assert prior.calls == inner.calls == 2
    prior.calls += 3
    assert inner.calls == 5
