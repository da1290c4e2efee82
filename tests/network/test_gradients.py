"""Gradients by the CPU's kernels, in a picture and in the weights, against torch's of float64."""

import pytest
import torch

from gdp.network import gradients
from tests.network.kernels.pictures import needed
from tests.networks import VARIANTS, small_unet

pytestmark = needed


def noise(*shape, seed=0, dtype=torch.float32):
    """White, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def close(x, y):
    """Equal to what Winograd's transforms leave of float32."""
    assert (x.double() - y.double()).abs().max() <= 3e-5 * y.abs().max() + 1e-6


def res_blocks(net):
    """The ResBlocks of a network."""
    return [layer for layer in net.modules() if type(layer).__name__ == "ResBlock"]


def count_calls(monkeypatch, name):
    """A list that grows with each call of a function of gradients.py."""
    calls, function = [], getattr(gradients, name)
    monkeypatch.setattr(gradients, name, lambda *args: (calls.append(1), function(*args))[1])
    return calls


def in_the_picture(net, x):
    """What the network makes of x, and the gradient of a number made of that."""
    x = x.clone().requires_grad_()
    y = net(x, torch.tensor([30.0, 800.0]))
    return y.detach(), torch.autograd.grad((y * noise(*y.shape, seed=5, dtype=y.dtype)).sum(), x)[0]


def in_the_weights(net, x):
    """A number made of what the network makes of x, and its gradient in x and in all weights."""
    x = x.clone().requires_grad_()
    y = net(x, torch.tensor([30.0, 800.0]))
    loss = (y * noise(*y.shape, seed=5, dtype=y.dtype)).sum()
    loss.backward()
    return loss.detach(), {"x": x.grad, **{name: p.grad for name, p in net.named_parameters()}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_through_the_network(variant, monkeypatch):
    net, x = small_unet(**VARIANTS[variant]), noise(2, 3, 36, 20)
    calls = count_calls(monkeypatch, "input_gradient")
    y, g = in_the_picture(net, x)
    assert len(calls) == len(res_blocks(net))

    expected_y, expected_g = in_the_picture(net.double(), x.double())
    close(y, expected_y)
    close(g, expected_g)


@pytest.mark.parametrize("variant", VARIANTS)
def test_in_the_weights(variant, monkeypatch):
    """By the kernels where embeddings scale and shift, by torch in networks without that."""
    net, x = small_unet(**VARIANTS[variant]).train().requires_grad_(), noise(2, 3, 36, 20)
    calls = count_calls(monkeypatch, "all_gradients")
    loss, result = in_the_weights(net, x)
    assert len(calls) == sum(block.scale_shift for block in res_blocks(net))

    exact = small_unet(**VARIANTS[variant]).train().requires_grad_().double()
    expected_loss, expected = in_the_weights(exact, x.double())
    assert loss == pytest.approx(expected_loss.item(), rel=1e-4)
    largest = max(g.abs().max() for g in expected.values())
    for name, g in expected.items():
        assert (result[name] - g).abs().max() <= 1e-4 * g.abs().max() + 1e-6 * largest, name


def test_steps_of_training_are_torchs(monkeypatch):
    """Fused optimizers change weights in a way that torch does not tell; they are followed."""

    def losses(steps=4):
        net = small_unet().train().requires_grad_()
        optimizer = torch.optim.AdamW(net.parameters(), 1e-2, fused=True)
        for _ in range(steps):
            yield in_the_weights(net, noise(2, 3, 16, 16))[0].item()
            optimizer.step()
            optimizer.zero_grad()

    fast = list(losses())
    monkeypatch.setattr(gradients, "ready", lambda *_: None)
    assert fast == pytest.approx(list(losses()), rel=1e-3) and fast[-1] < fast[0] - 1


def test_what_the_kernels_cannot_train_takes_torchs_way(monkeypatch):
    monkeypatch.setattr(gradients.FusedBlock, "apply", None)  # calling it raises
    x = noise(2, 3, 8, 8)
    in_the_weights(small_unet().train().requires_grad_().double(), x.double())
    in_the_weights(small_unet(dropout=0.1).train().requires_grad_(), x)
    in_the_weights(small_unet().requires_grad_(), x)  # not in training
    with torch.autocast("cpu", torch.bfloat16):
        in_the_weights(small_unet().train().requires_grad_(), x)
    with pytest.raises(TypeError):
        in_the_weights(small_unet().train().requires_grad_(), x)


def test_of_several_pictures_each_gets_its_own():
    """Nothing of one picture is seen in another's gradient."""
    net, x = small_unet(), noise(2, 3, 16, 16)
    both = in_the_picture(net, x)[1]
    other = in_the_picture(net, torch.cat([x[:1], noise(1, 3, 16, 16, seed=9)]))[1]
    assert torch.equal(both[:1], other[:1]) and not torch.equal(both[1:], other[1:])
