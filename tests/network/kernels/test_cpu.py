"""The CPU's kernels against torch, in every shape they claim."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gdp.network.kernels import cpu as kernels
from tests.network.kernels.pictures import joined, needed, picture
from tests.networks import on_threads


def close(x, y):
    """Equal to what Winograd's transforms leave of float32."""
    assert torch.allclose(x.double(), y.double(), atol=3e-4), (x - y).abs().max()


@needed
@settings(deadline=None, max_examples=60)
@given(
    B=st.integers(1, 3),
    H=st.integers(1, 30),
    W=st.integers(1, 30),
    c=st.sampled_from([32, 64, 96]),
    c2=st.sampled_from([0, 32]),
    o=st.sampled_from([32, 64]),
    active=st.booleans(),
    residual=st.booleans(),
    up=st.integers(0, 3),
    threads=st.integers(1, 3),
)
@torch.no_grad()
def test_conv3x3(B, H, W, c, c2, o, active, residual, up, threads):
    torch.manual_seed(0)
    conv = nn.Conv2d(c + c2, o, 3, padding=1)
    if up == kernels.UP_RESIDUAL and residual:
        H, W = 2 * H, 2 * W
    x, skip = picture(B, c, H, W), picture(B, c2, H, W, seed=1) if c2 else None
    ab = torch.rand(2, B, c + c2) if active else None

    # By torch, in float64.
    d = joined(x, skip).double()
    if active:
        d = F.silu(d * ab[0][..., None, None] + ab[1][..., None, None])
    if up & kernels.UP:
        d = F.interpolate(d, scale_factor=2)
    expected = F.conv2d(d, conv.weight.double(), conv.bias.double(), padding=1)
    r = None
    if residual:
        scale = 2 if up & kernels.UP_RESIDUAL else 1
        r = picture(B, o, expected.shape[2] // scale, expected.shape[3] // scale, seed=2)
        expected = expected + (F.interpolate(r, scale_factor=2) if scale == 2 else r)

    with on_threads(threads):
        close(kernels.conv3x3(x, skip, ab, conv, r, up), expected)


@needed
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (31, 33)])
@pytest.mark.parametrize("c2", [0, 32])
@torch.no_grad()
def test_conv1x1_norms_activate(size, c2):
    torch.manual_seed(0)
    x, skip = 3 + 2 * picture(2, 64, *size), picture(2, c2, *size, seed=1) if c2 else None
    h = joined(x, skip)
    conv, norm = nn.Conv2d(64 + c2, 32, 1), nn.GroupNorm(32, 64 + c2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)

    expected = F.conv2d(h.double(), conv.weight.double(), conv.bias.double())
    close(kernels.conv1x1(x, skip, conv), expected)

    for film in (None, torch.randn(2, 2 * (64 + c2))):
        expected = F.group_norm(h.double(), 32, norm.weight.double(), norm.bias.double(), norm.eps)
        if film is not None:
            scale, shift = film.double()[..., None, None].chunk(2, 1)
            expected = expected * (1 + scale) + shift
        ab = kernels.norms(x, skip, norm, film)
        close(h * ab[0][..., None, None] + ab[1][..., None, None], expected)
        close(kernels.activate(h, ab), F.silu(expected))


@needed
def test_silu_at_all_sizes():
    """From what overflows to what vanishes."""
    x = torch.cat([s * torch.logspace(-30, 30, 4000) for s in (1, -1)]).view(1, 16, -1, 1)
    x = x.contiguous(memory_format=torch.channels_last)
    ab = torch.stack([torch.ones(1, 16), torch.zeros(1, 16)])

    result, expected = kernels.activate(x, ab).double(), F.silu(x.double())
    assert torch.isfinite(result).all()
    tolerance = 3e-7 * expected.abs() + 1e-30 + 1e-36 * x.abs()
    assert ((result - expected).abs() <= tolerance).all()


@needed
@torch.no_grad()
def test_bit_for_bit_in_any_company():
    """Neither the batch nor the number of threads shows."""
    conv, norm, x = nn.Conv2d(64, 64, 3, padding=1), nn.GroupNorm(32, 64), picture(3, 64, 70, 45)
    together = [kernels.norms(x, None, norm), kernels.conv3x3(x, None, None, conv, x)]

    one = x[1:2]
    alone = [kernels.norms(one, None, norm), kernels.conv3x3(one, None, None, conv, one)]
    assert torch.equal(together[0][:, 1:2], alone[0])
    assert torch.equal(together[1][1:2], alone[1])

    with on_threads(torch.get_num_threads() + 1):
        again = [kernels.norms(x, None, norm), kernels.conv3x3(x, None, None, conv, x)]
    assert all(map(torch.equal, together, again))


@needed
@pytest.mark.parametrize("size", [1, 3])
@torch.no_grad()
def test_adjoint_of_a_convolution(size):
    """Dot test, and the bias left out."""
    conv = nn.Conv2d(64, 32, size, padding=size // 2)
    x, y = picture(2, 64, 11, 6), picture(2, 32, 11, 6, seed=1)
    if size == 3:
        back = kernels.conv3x3(y, None, None, conv, adjoint=True).double()
    else:
        back = kernels.conv1x1(y, None, conv, adjoint=True).double()

    forth = F.conv2d(x.double(), conv.weight.double(), padding=size // 2)
    assert (forth * y).sum().item() == pytest.approx((back * x).sum().item(), abs=1e-2)


@needed
def test_trained_weights_and_other_types_take_torchs_way():
    conv = nn.Conv2d(32, 32, 3, padding=1)
    with torch.no_grad():
        assert kernels.ready(picture(1, 32, 8, 8), [conv])
    assert not kernels.ready(picture(1, 32, 8, 8), [conv])
    assert not kernels.ready(picture(1, 32, 8, 8).double(), [])


@torch.no_grad()
def test_layers_that_do_not_fit():
    x = picture(1, 32, 8, 8)
    for sizes in ((32, 6, 3), (3, 64, 3), (32, 64, 5), (32, 64, 3, 2), (1024, 1024, 3)):
        assert not kernels.ready(x, [nn.Conv2d(*sizes)])
    assert not kernels.ready(x, [nn.Identity()])


@needed
@torch.no_grad()
def test_weights_that_change():
    conv, x = nn.Conv2d(32, 32, 3, padding=1), picture(1, 32, 8, 8)
    before = kernels.conv3x3(x, None, None, conv)
    conv.weight.mul_(2)
    conv.bias.mul_(2)
    close(kernels.conv3x3(x, None, None, conv), 2 * before)
