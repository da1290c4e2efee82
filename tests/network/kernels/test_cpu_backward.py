"""The CPU's gradients in an activation and in a convolution's weights, against torch in float64."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gdp.network.kernels import cpu, cpu_backward
from tests.network.kernels.pictures import joined, needed
from tests.networks import on_threads

pytestmark = needed


def noise(*shape, seed=0):
    """White, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def close(x, y):
    """Equal to what Winograd's transforms leave of float32."""
    assert (x.double() - y.double()).abs().max() <= 3e-5 * y.abs().max() + 1e-6


def near(result, expected):
    """Equal to what float32 leaves of sums over pixels."""
    assert (result - expected).abs().max() <= 1e-3 * expected.abs().max()


@settings(deadline=None, max_examples=30)
@given(
    B=st.integers(1, 3),
    H=st.integers(4, 20),
    W=st.integers(4, 20),
    c=st.sampled_from([32, 64]),
    c2=st.sampled_from([0, 32]),
    add=st.booleans(),
)
def test_activate_backward(B, H, W, c, c2, add):
    """Through SiLU, FiLM and GroupNorm, of a picture in one part or in two."""
    x, skip = 3 + 2 * noise(B, c, H, W), noise(B, c2, H, W, seed=1) if c2 else None
    g, film = noise(B, c + c2, H, W, seed=2), noise(B, 2 * (c + c2), seed=3)
    more = noise(B, c + c2, H, W, seed=4) if add else None
    norm = nn.GroupNorm(32, c + c2)
    nn.init.normal_(norm.weight)

    # By torch.
    h = joined(x, skip).double().requires_grad_()
    scale, shift = film.double()[..., None, None].chunk(2, 1)
    weight, bias = norm.weight.double()[:, None, None], norm.bias.double()[:, None, None]
    normalized = F.group_norm(h, 32, eps=norm.eps)
    u = (normalized * weight + bias) * (1 + scale) + shift
    du, expected = torch.autograd.grad((F.silu(u) * g).sum(), (u, h))

    totals = torch.empty(2, B, c + c2)
    ab = cpu.norms(x, skip, norm, film)
    result = cpu_backward.activate_backward(x, skip, ab, g, more, norm, totals)
    near(result, expected + (0 if more is None else more))
    near(totals, torch.stack([du.sum((2, 3)), (du * normalized).sum((2, 3))]))


@settings(deadline=None, max_examples=30)
@given(
    B=st.integers(1, 5),
    H=st.integers(1, 9).map(lambda h: 2 * h),
    W=st.integers(1, 9).map(lambda w: 2 * w),
    c=st.sampled_from([32, 64]),
    c2=st.sampled_from([0, 32]),
    o=st.sampled_from([32, 64]),
    active=st.booleans(),
    up=st.sampled_from([0, cpu.UP]),
    tiles=st.sampled_from([1, 20, 1000]),
    threads=st.integers(1, 3),
)
def test_gradient_in_a_convolutions_weights(B, H, W, c, c2, o, active, up, tiles, threads):
    """Of a picture in one part or in two, normalized or not, enlarged or not.

    Of odd numbers of tiles, some or all pictures at a time.
    """
    x, skip = noise(B, c, H, W), noise(B, c2, H, W, seed=1) if c2 else None
    g = noise(B, o, (1 + up) * H, (1 + up) * W, seed=2)
    ab = noise(2, B, c + c2, seed=3) if active else None

    # By torch.
    h = joined(x, skip).double()
    if active:
        a, b = ab.double()[..., None, None]
        h = F.silu(a * h + b)
    if up:
        h = F.interpolate(h, scale_factor=2, mode="nearest")
    expected = torch.ops.aten.convolution_backward(
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
        patch.setattr(cpu_backward, "TILES", tiles)
        close(cpu_backward.conv3x3_weight_backward(g, x, skip, ab, up), expected)
