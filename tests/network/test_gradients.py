"""Gradients by the CPU's kernels, in a picture and in the weights, against torch's of float64."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gdp.network import gradients
from gdp.network.kernels import cpu as kernels
from tests.networks import VARIANTS, on_threads, small_unet

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
    g, film, more = (
        noise(B, c + c2, H, W, seed=2),
        noise(B, 2 * (c + c2), seed=3),
        noise(B, c + c2, H, W, seed=4) if add else None,
    )
    norm = nn.GroupNorm(32, c + c2)
    nn.init.normal_(norm.weight)
    h = joined(x, skip).double().requires_grad_()
    scale, shift = film.double()[..., None, None].chunk(2, 1)
    normalized = F.group_norm(h, 32, eps=norm.eps)
    u = (normalized * norm.weight.double()[:, None, None] + norm.bias.double()[:, None, None]) * (
        1 + scale
    ) + shift
    du, want = torch.autograd.grad((F.silu(u) * g).sum(), (u, h))
    totals = torch.empty(2, B, c + c2)
    made = kernels.pull(x, skip, kernels.norms(x, skip, norm, film), g, more, norm, totals)
    near(made, want + (0 if more is None else more))
    near(totals, torch.stack([du.sum((2, 3)), (du * normalized).sum((2, 3))]))


def joined(x, skip):
    """As one picture."""
    return x if skip is None else torch.cat([x, skip], 1)


def near(made, want):
    """Equal to what float32 leaves of sums over pixels."""
    assert (made - want).abs().max() <= 1e-3 * want.abs().max()


@settings(deadline=None, max_examples=30)
@given(
    B=st.integers(1, 5),
    H=st.integers(1, 9).map(lambda h: 2 * h),
    W=st.integers(1, 9).map(lambda w: 2 * w),
    c=st.sampled_from([32, 64]),
    c2=st.sampled_from([0, 32]),
    o=st.sampled_from([32, 64]),
    active=st.booleans(),
    up=st.sampled_from([0, kernels.UP]),
    tiles=st.sampled_from([1, 20, 1000]),
    threads=st.integers(1, 3),
)
def test_gradient_in_a_convolutions_weights(B, H, W, c, c2, o, active, up, tiles, threads):
    """Of a picture in one part or in two, normalized or not, enlarged or not, of odd numbers of tiles, some or all pictures at a time."""
    x, skip, g = (
        noise(B, c, H, W),
        noise(B, c2, H, W, seed=1) if c2 else None,
        noise(B, o, (1 + up) * H, (1 + up) * W, seed=2),
    )
    ab = noise(2, B, c + c2, seed=3) if active else None
    h = joined(x, skip).double()
    if active:
        a, b = ab.double()[..., None, None]
        h = F.silu(a * h + b)
    if up:
        h = F.interpolate(h, scale_factor=2, mode="nearest")
    want = torch.ops.aten.convolution_backward(
        g.double(),
        h,
        h.new_empty(o, c + c2, 3, 3),
        [o],
        [1, 1],
        [1, 1],
        [1, 1],
        False,
        [0, 0],
        1,
        [False, True, False],
    )[1]
    with pytest.MonkeyPatch.context() as patch, on_threads(threads):
        patch.setattr(kernels, "TILES", tiles)
        close(kernels.weights3x3(g, x, skip, ab, up), want)


@pytest.mark.parametrize("size", [1, 3])
@torch.no_grad()
def test_adjoint_of_a_convolution(size):
    """Dot test, and the bias left out."""
    conv, x, y = (
        nn.Conv2d(64, 32, size, padding=size // 2),
        noise(2, 64, 11, 6),
        noise(2, 32, 11, 6, seed=1),
    )
    back = (
        kernels.conv3x3(y, None, None, conv, back=True)
        if size == 3
        else kernels.conv1x1(y, None, conv, back=True)
    ).double()
    forth = F.conv2d(x.double(), conv.weight.double(), padding=size // 2)
    assert (forth * y).sum().item() == pytest.approx((back * x).sum().item(), abs=1e-2)


def with_gradient(net, x):
    """What the network makes of x, and the gradient of a number made of that."""
    x = x.clone().requires_grad_()
    y = net(x, torch.tensor([30.0, 800.0]))
    return y.detach(), torch.autograd.grad((y * noise(*y.shape, seed=5, dtype=y.dtype)).sum(), x)[0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_through_the_network(variant, monkeypatch):
    net, x, calls = (
        small_unet(**VARIANTS[variant]),
        noise(2, 3, 36, 20),
        counted(monkeypatch, "pulled"),
    )
    y, g = with_gradient(net, x)
    assert len(calls) == sum(type(layer).__name__ == "ResBlock" for layer in net.modules())
    want_y, want_g = with_gradient(net.double(), x.double())
    close(y, want_y)
    close(g, want_g)


def of_weights(net, x):
    """A number made of what the network makes of x, and its gradient in x and in all weights."""
    x = x.clone().requires_grad_()
    y = net(x, torch.tensor([30.0, 800.0]))
    loss = (y * noise(*y.shape, seed=5, dtype=y.dtype)).sum()
    loss.backward()
    return loss.detach(), {"x": x.grad, **{name: p.grad for name, p in net.named_parameters()}}


def counted(monkeypatch, name):
    """A list that grows with each call of a function of gradients.py."""
    calls, known = [], getattr(gradients, name)
    monkeypatch.setattr(gradients, name, lambda *args: (calls.append(1), known(*args))[1])
    return calls


@pytest.mark.parametrize("variant", VARIANTS)
def test_in_the_weights(variant, monkeypatch):
    """By the kernels where embeddings scale and shift, by torch in networks without that."""
    net, x, calls = (
        small_unet(**VARIANTS[variant]).train().requires_grad_(),
        noise(2, 3, 36, 20),
        counted(monkeypatch, "taught"),
    )
    loss, made = of_weights(net, x)
    blocks = [layer for layer in net.modules() if type(layer).__name__ == "ResBlock"]
    assert len(calls) == sum(block.scale_shift for block in blocks)
    want_loss, want = of_weights(
        small_unet(**VARIANTS[variant]).train().requires_grad_().double(), x.double()
    )
    assert loss == pytest.approx(want_loss.item(), rel=1e-4)
    largest = max(g.abs().max() for g in want.values())
    for name, g in want.items():
        assert (made[name] - g).abs().max() <= 1e-4 * g.abs().max() + 1e-6 * largest, name


def test_steps_of_training_are_torchs(monkeypatch):
    """Fused optimizers change weights in a way that torch does not tell; they are followed."""

    def losses(steps=4):
        net = small_unet().train().requires_grad_()
        optimizer = torch.optim.AdamW(net.parameters(), 1e-2, fused=True)
        for _ in range(steps):
            yield of_weights(net, noise(2, 3, 16, 16))[0].item()
            optimizer.step()
            optimizer.zero_grad()

    made = list(losses())
    monkeypatch.setattr(gradients, "ready", lambda *_: False)
    assert made == pytest.approx(list(losses()), rel=1e-3) and made[-1] < made[0] - 1


def test_what_the_kernels_cannot_train_takes_torchs_way(monkeypatch):
    monkeypatch.setattr(gradients.FusedBlock, "apply", None)  # calling it raises
    x = noise(2, 3, 8, 8)
    of_weights(small_unet().train().requires_grad_().double(), x.double())
    of_weights(small_unet(dropout=0.1).train().requires_grad_(), x)
    of_weights(small_unet().requires_grad_(), x)  # not in training
    with torch.autocast("cpu", torch.bfloat16):
        of_weights(small_unet().train().requires_grad_(), x)
    with pytest.raises(TypeError):
        of_weights(small_unet().train().requires_grad_(), x)


def test_of_several_pictures_each_gets_its_own():
    """Nothing of one picture is seen in another's gradient."""
    net, x = small_unet(), noise(2, 3, 16, 16)
    both = with_gradient(net, x)[1]
    other = with_gradient(net, torch.cat([x[:1], noise(1, 3, 16, 16, seed=9)]))[1]
    assert torch.equal(both[:1], other[:1]) and not torch.equal(both[1:], other[1:])
