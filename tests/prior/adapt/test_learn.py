"""A prior that learns from a photo: by the right loss, reproducibly, and it forgets again."""

import pytest
import torch

from gdp.prior.adapt import learn
from gdp.prior.adapt.learn import Seen, adapted, draw, levels, side_for
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior
from tests.networks import small_unet
from tests.photos import astronaut


def seen_of(picture, noise=0.0):
    """All of a picture."""
    return Seen(picture, torch.ones_like(picture[:, :1]), noise)


def small_prior():
    """A prior of a small network that has learnt nothing."""
    return Prior(small_unet(channel_mult=(1, 2)), betas(1000))


def loss_of(prior, seen, batches=4):
    """L of a prior on patches that are always the same."""
    side = side_for(seen, prior.net.divisor)
    windows, generator = levels(seen, side, 1), torch.Generator().manual_seed(9)
    losses = []
    with torch.no_grad():
        for _ in range(batches):
            z, e, k, t = draw(prior, windows, side, generator)
            out = prior.net(z, (t - 1).float())[:, :3]
            losses.append((e - k * out).square().mean())
    return float(torch.stack(losses).mean())


def test_it_learns_and_forgets(monkeypatch):
    monkeypatch.setattr(learn, "RATE", 0.01)  # this network knows nothing yet
    prior, seen = small_prior(), seen_of(astronaut(40))
    net, state = prior.net, {k: v.clone() for k, v in prior.net.state_dict().items()}
    before = loss_of(prior, seen)
    with adapted(prior, seen, 15, seed=0):
        assert prior.net is not net and not prior.net.training
        assert not any(p.requires_grad for p in prior.net.parameters())
        assert loss_of(prior, seen) < 0.8 * before
    assert prior.net is net
    assert all(torch.equal(weight, state[name]) for name, weight in net.state_dict().items())
    assert loss_of(prior, seen) == before


def test_an_error_leaves_the_network_too():
    prior = small_prior()
    net, graphs = prior.net, prior.graphs
    with pytest.raises(KeyboardInterrupt), adapted(prior, seen_of(astronaut(32)), 1, 0):
        raise KeyboardInterrupt
    assert prior.net is net and prior.graphs is graphs


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_same_seed_learns_the_same_in_the_networks_type(dtype):
    prior, found = small_prior(), []
    prior.net.compute_in(dtype)
    for seed in (3, 3, 4):
        with adapted(prior, seen_of(astronaut(32)), 2, seed):
            assert prior.net.dtype == dtype
            found.append(prior.net.middle_block[0].in_layers[2].weight.clone())
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_every_wrapper_has_the_network_that_learnt():
    inner = small_prior()
    outer = TiledPrior(ReusingPrior(inner, 2), tile=16, overlap=4)
    net, x = inner.net, torch.randn(1, 3, 16, 16)
    plain = outer(x, 300).eps
    with adapted(outer, seen_of(astronaut(32)), 2, 0):
        nets = {id(part.net) for part in outer.modules() if isinstance(part, Prior)}
        assert len(nets) == 1 and id(net) not in nets
        assert not torch.equal(outer(x, 300).eps, plain)
    assert all(part.net is net for part in outer.modules() if isinstance(part, Prior))


def test_noise_adds_up_to_that_of_the_time(monkeypatch):
    """z_t is clean / noise of std sigma_t whatever part of it y has."""
    monkeypatch.setattr(learn, "PATCHES", 64)
    prior, noise = small_prior(), 0.3
    y = noise * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    z, _, k, t = draw(prior, levels(seen_of(y, noise), 64, 1)[:1], 64, torch.Generator())
    a = prior.alpha_bar[t]
    sigma = ((1 - a) / a).sqrt()
    std = (z / a.sqrt().float().view(-1, 1, 1, 1)).std((1, 2, 3))
    torch.testing.assert_close(std, sigma.float(), rtol=0.05, atol=0)
    assert sigma.min() >= learn.NOISIER * noise * 0.98
    torch.testing.assert_close(k.flatten(), (1 - (noise / sigma) ** 2).sqrt().float())


def test_what_minimises_the_loss_is_the_noise_of_the_clean_picture():
    """Of x ~ N(0, 1) the best eps is c z: c by L from noisy y, and c from x itself."""
    generator = torch.Generator().manual_seed(0)
    x, n, e = torch.randn(3, 10**6, generator=generator, dtype=torch.float64)
    s, sigma = 0.4, 0.7
    added = (sigma**2 - s**2) ** 0.5
    z, k = x + s * n + added * e, added / sigma
    by_loss = (e * z).mean() / (k * z.square().mean())
    assert float(by_loss) == pytest.approx(sigma / (1 + sigma**2), rel=0.01)


def test_patches_are_whole_at_every_scale():
    where = torch.ones(1, 1, 96, 128)
    where[..., 40:50, 10:20] = 0
    seen = Seen(torch.zeros(1, 3, 96, 128), where, 0.2)
    found = levels(seen, 32, 1)
    assert [tuple(one.picture.shape[-2:]) for one, _ in found] == [(96, 128), (48, 64)]
    assert found[1][0].noise == 0.1
    for one, places in found:
        assert all(one.where[..., i : i + 32, j : j + 32].all() for i, j in places[::97].tolist())
    whole = levels(seen_of(torch.zeros(1, 3, 96, 128)), 32, 1)
    assert len(found[0][1]) < len(whole[0][1]) == 65 * 97


def test_what_cannot_learn_is_said_in_a_line():
    photo = seen_of(astronaut(32))
    with (
        pytest.raises(ValueError, match="adapt=5 trains a UNet for pictures in colour"),
        adapted(GaussianPrior(), photo, 5, 0),
    ):
        pass
    hidden = photo._replace(where=torch.zeros_like(photo.where))
    with (
        pytest.raises(ValueError, match="patches of 16x16 pixels, and the photo shows none"),
        adapted(small_prior(), hidden, 5, 0),
    ):
        pass
