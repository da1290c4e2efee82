"""The GPU's gradients in a picture, against float64, and without a copy to another layout."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from gdp.network import gradients, stage
from gdp.network.blocks import AttentionBlock, Double, Halve, ResBlock
from gdp.network.kernels import cpu, cuda
from gdp.network.kernels.cuda_backward import activate_backward
from tests.network.kernels.device import (
    DEVICE,
    close,
    group_norm,
    on_a_device,
    picture,
    same_arithmetic,  # noqa: F401
)
from tests.networks import VARIANTS, small_unet


@on_a_device
@pytest.mark.parametrize(
    ("size", "c", "c2", "dtype", "film", "more", "add", "silu"),
    [
        ((1, 1), 64, 0, torch.float32, True, True, False, True),
        ((7, 5), 32, 0, torch.bfloat16, False, False, True, False),
        ((9, 15), 96, 32, torch.float16, True, True, True, True),
        ((33, 5), 32, 64, torch.float32, False, False, False, True),
    ],
)
@torch.no_grad()
def test_activate_backward(size, c, c2, dtype, film, more, add, silu):
    """Through SiLU, FiLM and GroupNorm, of a picture in one part or in two."""
    B, C = 2, c + c2
    x = picture(B, c, *size, dtype=dtype) * 2 + 5
    skip = picture(B, c2, *size, dtype=dtype) if c2 else None
    g, residual = (picture(B, C, *size, dtype=dtype) for _ in range(2))
    film = torch.randn(B, 2 * C).to(DEVICE, dtype) if film else None
    more = torch.randn(B, C).to(DEVICE, dtype) if more else None
    norm = group_norm(C, dtype)
    ab = cuda.norms(x, skip, norm, film, more)
    parts = activate_backward(x, skip, ab, g, residual if add else None, norm, more, silu)
    assert all(p is None or p.is_contiguous(memory_format=torch.channels_last) for p in parts)
    result = torch.cat([part for part in parts if part is not None], 1)

    # By torch.
    with torch.enable_grad():
        h = (x if skip is None else torch.cat([x, skip], 1)).double().requires_grad_()
        u = h if more is None else h + more.double()[..., None, None]
        u = F.group_norm(u, 8, norm.weight.double(), norm.bias.double(), norm.eps)
        if film is not None:
            scale, shift = film.double()[..., None, None].chunk(2, 1)
            u = u * (1 + scale) + shift
        expected = torch.autograd.grad(F.silu(u) if silu else u, h, g.double())[0]
    close(result, expected + (residual.double() if add else 0), dtype)


@on_a_device
@torch.no_grad()
def test_a_large_mean_costs_no_accuracy():
    x, g = 1000 + picture(1, 32, 40, 11), picture(1, 32, 40, 11)
    norm = group_norm(32, torch.float32)
    result, _ = activate_backward(x, None, cuda.norms(x, None, norm), g, None, norm, silu=False)
    with torch.enable_grad():
        h = x.double().requires_grad_()
        u = F.group_norm(h, 8, norm.weight.double(), norm.bias.double(), norm.eps)
        expected = torch.autograd.grad(u, h, g.double())[0]
    assert (result - expected).abs().max() < 1e-3 * expected.abs().max()


class Layouts(TorchDispatchMode):
    """Notes pictures of these sizes that do not lie channels last, and torch's normalizations."""

    def __init__(self, *sizes):
        super().__init__()
        self.sizes, self.wrong = sizes, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in tree_flatten(out)[0]:
            picture = isinstance(value, torch.Tensor) and value.ndim == 4
            if not picture or value.shape[2:] not in self.sizes:
                continue
            if not value.is_contiguous(memory_format=torch.channels_last):
                self.wrong.append(str(func))
        if "group_norm" in str(func):
            self.wrong.append(str(func))
        return out


BLOCKS = {
    "narrows, in two parts": (32, 32, True, None),
    "halves": (32, 0, True, Halve()),
    "doubles": (32, 0, True, Double()),
    "added embedding": (32, 0, False, None),
}


@on_a_device
@pytest.mark.parametrize("kind", BLOCKS)
def test_a_block(kind, monkeypatch):
    """With gradients in x and in skip, of nothing else."""
    monkeypatch.setattr(cpu, "supports", lambda *_, **__: False)
    c, c2, scale_shift, resample = BLOCKS[kind]
    block = ResBlock(c + c2, 32, 64, 0.0, scale_shift, resample).to(DEVICE).eval()
    few_groups(block)
    given = [picture(2, n, 4, 4) for n in (c, c2) if n]
    emb = torch.randn(2, 64).to(DEVICE)
    g = picture(2, 32, *block(given[0], emb, *given[1:]).shape[2:])
    assert cuda.matches_torch(DEVICE, g.dtype) and cuda.gradients_match(DEVICE, g.dtype)

    with Layouts((4, 4), (8, 8), (2, 2)) as layouts:
        leaves = [v.clone().requires_grad_() for v in given]
        out = stage.res_block(block, leaves[0], emb, *leaves[1:] or [None])
        got = torch.autograd.grad(out, leaves, g)
    assert not layouts.wrong and "FusedBlock" in type(out.grad_fn).__name__

    leaves = [v.double().requires_grad_() for v in given]
    exact = block.double()(leaves[0], emb.double(), *leaves[1:])
    close(out.detach(), exact, torch.float32)
    for ours, theirs in zip(got, torch.autograd.grad(exact, leaves, g.double()), strict=True):
        close(ours, theirs, torch.float32)


@on_a_device
def test_attention_and_the_head(monkeypatch):
    """Their normalizations have gradients of their own, and lie as all else does."""
    monkeypatch.setattr(cpu, "supports", lambda *_, **__: False)
    block = AttentionBlock(32, 2, False).to(DEVICE).eval()
    out = nn.Sequential(nn.GroupNorm(4, 32), nn.SiLU(), nn.Conv2d(32, 6, 3, padding=1)).to(DEVICE)
    few_groups(block, out.eval())
    x, g = picture(2, 32, 4, 6), picture(2, 6, 4, 6)
    assert cuda.matches_torch(DEVICE, g.dtype) and cuda.gradients_match(DEVICE, g.dtype)

    with Layouts((4, 6)) as layouts:
        leaf = x.clone().requires_grad_()
        h = stage.again(stage.attention, block, leaf)
        got = torch.autograd.grad(stage.head(out, h), leaf, g)[0]
    assert not layouts.wrong

    leaf = x.double().requires_grad_()
    expected = torch.autograd.grad(out.double()(block.double()(leaf)), leaf, g.double())[0]
    close(got, expected, torch.float32)


def few_groups(*layers):
    """Weights that are not zero and need no gradients; the interpreter takes time for groups."""
    for layer in layers:
        layer.requires_grad_(False)
        for part in layer.modules():
            if isinstance(part, nn.GroupNorm):
                part.num_groups = 4
        for p in layer.parameters():
            nn.init.normal_(p, std=p[0].numel() ** -0.5 if p.ndim > 1 else 0.5)


@on_a_device
def test_turned_off_or_wrong_it_is_torchs(monkeypatch):
    norm = group_norm(32, torch.float32)
    x = picture(1, 32, 4, 4).requires_grad_()
    assert gradients.normalized(x, norm, True) is not None
    assert gradients.normalized(x, norm.requires_grad_(), True) is None
    monkeypatch.setattr(cuda, "gradients_match", lambda *_: False)
    assert gradients.normalized(x, norm.requires_grad_(False), True) is None


@pytest.mark.gpu
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", cuda.TYPES)
def test_the_network_on_a_gpu(variant, dtype, monkeypatch):
    """As far from float64 on the CPU as torch's own kernels are, or little more."""
    assert cuda.gradients_match(DEVICE, dtype)
    net = small_unet(**{"model_channels": 64, **VARIANTS[variant]})
    x, t = torch.randn(3, 3, 72, 40), torch.tensor([30.0, 500.0, 800.0])

    def gradient(net, x):
        leaf = x.clone().requires_grad_()
        out = net(leaf, t.to(leaf.device))
        return torch.autograd.grad(out.square().sum(), leaf)[0].double().cpu()

    expected = gradient(net.double(), x.double())
    net = net.to(DEVICE).compute_in(dtype)
    x = x.to(DEVICE).contiguous(memory_format=torch.channels_last)
    fast = gradient(net, x)
    monkeypatch.setattr(cuda, "supports", lambda *_, **__: False)
    slow = gradient(net, x)
    largest = expected.abs().max()
    errors = [(out - expected).abs().max() / largest for out in (fast, slow)]
    assert errors[0] <= max(1.5 * errors[1], 1e-5)
