"""The GPU's blocks of a network against float64: convolutions with what lies about them."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gdp.network.kernels import cpu
from gdp.network.kernels import cuda as kernels
from tests.network.kernels.device import (
    DEVICE,
    close,
    group_norm,
    normalized,
    on_a_device,
    picture,
    same_arithmetic,  # noqa: F401
)
from tests.networks import VARIANTS, small_unet


@on_a_device
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_convolutions(dtype):
    """cuDNN's, with bias and residual added afterwards.

    The picture, or the residual, of half the size; in two parts.
    """
    x, skip = picture(2, 64, 6, 10, dtype=dtype), picture(2, 32, 6, 10, dtype=dtype)
    conv, point = (
        nn.Conv2d(96, 32, k, padding=k // 2).to(DEVICE, dtype).requires_grad_(False) for k in (3, 1)
    )
    h = torch.cat([x, skip], 1).double()

    def convolved(layer, h, **other):
        return F.conv2d(h, layer.weight.double(), layer.bias.double(), **other)

    close(kernels.conv1x1(x, skip, point), convolved(point, h), dtype)
    close(kernels.conv1x1(torch.cat([x, skip], 1), None, point), convolved(point, h), dtype)
    close(kernels.conv3x3(x, skip, None, conv), convolved(conv, h, padding=1), dtype)

    for up, residual in (
        (0, picture(2, 32, 6, 10, dtype=dtype)),
        (kernels.UP | kernels.UP_RESIDUAL, picture(2, 32, 6, 10, dtype=dtype)),
    ):
        ab = kernels.norms(x, skip, group_norm(96, dtype))
        g = F.silu(h * ab[0][..., None, None] + ab[1][..., None, None])
        d = [F.interpolate(v, scale_factor=2) if up else v for v in (g, residual.double())]
        result = kernels.conv3x3(x, skip, ab, conv, residual, up)
        close(result, convolved(conv, d[0], padding=1) + d[1], dtype)


@on_a_device
@torch.no_grad()
def test_what_is_added_before_a_norm():
    """Bias and embedding are in b, as if they were in the picture."""
    x, norm = picture(2, 32, 5, 6), group_norm(64, torch.float32)
    conv = nn.Conv2d(32, 64, 3, padding=1).to(DEVICE)
    more, film = 10 * torch.randn(2, 64).to(DEVICE), torch.randn(2, 128).to(DEVICE)
    for added in (None, more):
        expected = F.conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=1)
        expected = expected if added is None else expected + added.double()[..., None, None]
        h, ab = kernels.conv3x3_norms(x, None, None, conv, 0, added, norm, film)
        result = kernels.activate(h, ab, silu=False)
        close(result, normalized(expected, norm, film), torch.float32)


@on_a_device
@pytest.mark.parametrize("dtype", kernels.TYPES)
def test_ready(dtype):
    x, layer = picture(1, 32, 4, 4, dtype=dtype), nn.Conv2d(32, 32, 3).to(DEVICE, dtype)
    with torch.no_grad():
        assert kernels.ready(x, [layer]) and kernels.ready(x, [])
        assert not kernels.ready(x.double(), [])
        assert not kernels.ready(x[:0], [])
        assert not kernels.ready(x.flatten(1), [])

        other = torch.float32 if dtype != torch.float32 else torch.float16
        assert not kernels.ready(x, [layer.to(other)])
        with torch.autocast(DEVICE.type, torch.bfloat16):
            assert not kernels.ready(x, [])

    assert not kernels.ready(x, [layer.to(dtype)])  # weights to train
    assert kernels.ready(x, [layer.requires_grad_(False)])
    assert not kernels.ready(x.requires_grad_(), [layer])


def test_a_cpu_has_its_own(monkeypatch):
    monkeypatch.setattr(kernels, "interpreted", lambda: False)
    assert not kernels.ready(torch.zeros(1, 32, 4, 4), [])


@on_a_device
@pytest.mark.parametrize("variant", ["adm", "ddpm"])
@torch.no_grad()
def test_the_network_is_the_same(variant, monkeypatch):
    monkeypatch.setattr(cpu, "ready", lambda *_: False)
    net, x = small_unet(**VARIANTS[variant]).to(DEVICE), picture(2, 3, 8, 4)
    t = torch.tensor([30.0, 800.0], device=DEVICE)
    for layer in net.modules():
        if isinstance(layer, nn.GroupNorm):
            layer.num_groups = 4  # the interpreter takes its time for each

    seen, norms = [], kernels.norms
    monkeypatch.setattr(kernels, "norms", lambda *args: seen.append(args) or norms(*args))
    fast = net(x, t)
    monkeypatch.setattr(kernels, "ready", lambda *_: False)
    slow = net(x, t)
    assert len(seen) > 10 and (fast - slow).abs().max() < 1e-4 * slow.abs().max()


@pytest.mark.gpu
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", kernels.TYPES)
@torch.no_grad()
def test_the_network_on_a_gpu(variant, dtype, monkeypatch):
    """As far from float64 on the CPU as torch's own kernels are, or less."""
    assert kernels.matches_torch(DEVICE, dtype)
    net = small_unet(**{"model_channels": 64, **VARIANTS[variant]})
    x, t = torch.randn(3, 3, 72, 40), torch.tensor([30.0, 500.0, 800.0])
    expected = net.double()(x, t)

    net, t = net.to(DEVICE, dtype), t.to(DEVICE)
    x = x.to(DEVICE).contiguous(memory_format=torch.channels_last)
    fast = net(x, t)
    monkeypatch.setattr(kernels, "ready", lambda *_: False)
    slow = net(x, t)

    largest = expected.abs().max()
    errors = [(out.double().cpu() - expected).abs().max() / largest for out in (fast, slow)]
    assert fast.dtype == dtype and errors[0] <= max(1.5 * errors[1], 1e-5)
