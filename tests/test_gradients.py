"""Gradients in a picture by the CPU's kernels, against torch's of float64."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gdp import cpu_kernels as kernels
from gdp import gradients
from tests.networks import VARIANTS, small_unet

pytestmark = pytest.mark.skipif(kernels.library() is None, reason="no C compiler, or not Linux")


def noise(*shape, seed=0, dtype=torch.float32):
    """White, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def close(x, y):
    """Equal to what Winograd's transforms leave of float32."""
    assert (x.double() - y.double()).abs().max() <= 3e-5 * y.abs().max() + 1e-6


@settings(deadline=None, max_examples=30)
@given(
    B=st.integers(1, 3),
    H=st.integers(4, 20),
    W=st.integers(4, 20),
    c=st.sampled_from([32, 64]),
    c2=st.sampled_from([0, 32]),
    add=st.booleans(),
)
def test_pull(B, H, W, c, c2, add):
    """Through SiLU, FiLM and GroupNorm, of a picture in one part or in two."""
    x, skip = 3 + 2 * noise(B, c, H, W), noise(B, c2, H, W, seed=1) if c2 else None
    g, film, more = noise(B, c + c2, H, W, seed=2), noise(B, 2 * (c + c2), seed=3), noise(B, c + c2, H, W, seed=4) if add else None
    norm = nn.GroupNorm(32, c + c2)
    nn.init.normal_(norm.weight)
    h = (x if skip is None else torch.cat([x, skip], 1)).double().requires_grad_()
    scale, shift = film.double()[..., None, None].chunk(2, 1)
    z = F.silu(F.group_norm(h, 32, norm.weight.double(), norm.bias.double(), norm.eps) * (1 + scale) + shift)
    want = torch.autograd.grad((z * g).sum(), h)[0] + (0 if more is None else more)
    made = kernels.pull(x, skip, kernels.norms(x, skip, norm, film), g, more, norm)
    assert (made - want).abs().max() <= 1e-3 * want.abs().max()


@pytest.mark.parametrize("size", [1, 3])
@torch.no_grad()
def test_adjoint_of_a_convolution(size):
    """Dot test, and the bias left out."""
    conv, x, y = nn.Conv2d(64, 32, size, padding=size // 2), noise(2, 64, 11, 6), noise(2, 32, 11, 6, seed=1)
    back = (kernels.conv3x3(y, None, None, conv, back=True) if size == 3 else kernels.conv1x1(y, None, conv, back=True)).double()
    forth = F.conv2d(x.double(), conv.weight.double(), padding=size // 2)
    assert (forth * y).sum().item() == pytest.approx((back * x).sum().item(), abs=1e-2)


def with_gradient(net, x):
    """What the network makes of x, and the gradient of a number made of that."""
    x = x.clone().requires_grad_()
    y = net(x, torch.tensor([30.0, 800.0]))
    return y.detach(), torch.autograd.grad((y * noise(*y.shape, seed=5, dtype=y.dtype)).sum(), x)[0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_through_the_network(variant, monkeypatch):
    net, x, calls = small_unet(**VARIANTS[variant]), noise(2, 3, 36, 20), []
    pulled = gradients.pulled
    monkeypatch.setattr(gradients, "pulled", lambda *args: (calls.append(1), pulled(*args))[1])
    y, g = with_gradient(net, x)
    assert len(calls) == sum(type(layer).__name__ == "ResBlock" for layer in net.modules())
    want_y, want_g = with_gradient(net.double(), x.double())
    close(y, want_y)
    close(g, want_g)


def test_weights_that_are_trained_and_other_types_take_torchs_way(monkeypatch):
    monkeypatch.setattr(gradients.FusedBlock, "apply", None)  # calling it raises
    net, x = small_unet(), noise(2, 3, 8, 8)
    with_gradient(net.double(), x.double())
    net = small_unet().requires_grad_()
    with_gradient(net, x)
    net.requires_grad_(False).train()
    with_gradient(net, x)


def test_of_several_pictures_each_gets_its_own():
    """Nothing of one picture is seen in another's gradient."""
    net, x = small_unet(), noise(2, 3, 16, 16)
    both = with_gradient(net, x)[1]
    other = with_gradient(net, torch.cat([x[:1], noise(1, 3, 16, 16, seed=9)]))[1]
    assert torch.equal(both[:1], other[:1]) and not torch.equal(both[1:], other[1:])
