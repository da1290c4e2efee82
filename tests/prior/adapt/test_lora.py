"""A low-rank change: nothing at first, then what the gradients say, of low rank."""

import torch
from torch.func import functional_call

from gdp.prior.adapt.lora import LowRank
from tests.networks import small_unet


def test_nothing_is_changed_at_first():
    net, before = small_unet(), small_unet().state_dict()
    LowRank(net, 4, seed=0).write()
    assert all(torch.equal(weight, before[name]) for name, weight in net.state_dict().items())


def test_gradients_are_those_of_the_product():
    net = small_unet(channel_mult=(1, 2))
    change = LowRank(net, 2, seed=0)
    with torch.no_grad():
        for B in change.B:
            B.normal_(std=0.1)
    change.write()
    x, t = torch.randn(1, 3, 8, 8), torch.tensor([10.0])
    net(x, t).square().mean().backward()
    change.take_gradients()

    # By autograd through W0 + B A
    names = {id(weight): name for name, weight in net.named_parameters()}
    parts = zip(change.weights, change.before, change.A, change.B, strict=True)
    with torch.enable_grad():
        own = {names[id(w)]: before + (B @ A).view_as(before) for w, before, A, B in parts}
        functional_call(net, own, (x, t)).square().mean()
        loss = functional_call(net, own, (x, t)).square().mean()
    for part in (change.A, change.B):
        expected = torch.autograd.grad(loss, list(part), retain_graph=True)
        for got, want in zip(part, expected, strict=True):
            torch.testing.assert_close(got.grad, want, rtol=1e-3, atol=1e-6)


def test_the_change_is_of_its_rank_and_seeded():
    net, again, other = (small_unet() for _ in range(3))
    for one, seed in ((net, 1), (again, 1), (other, 2)):
        change = LowRank(one, 2, seed)
        with torch.no_grad():
            for B in change.B:
                B.fill_(0.1)
        change.write()
    name = "middle_block.0.in_layers.2.weight"
    weights = [one.get_parameter(name).detach() for one in (net, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    moved = (weights[0] - small_unet().get_parameter(name)).flatten(1)
    assert torch.linalg.matrix_rank(moved.double(), rtol=1e-4) in (1, 2)
