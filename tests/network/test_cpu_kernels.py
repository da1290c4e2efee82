"""The CPU's kernels against torch, in every shape they claim, and torch in their place where they cannot be."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gdp.network.kernels import cpu as kernels
from tests.networks import VARIANTS, on_threads, small_unet

needed = pytest.mark.skipif(kernels.library() is None, reason="no C compiler, or not Linux")


@pytest.fixture
def anew():
    """The library is looked for again, before and after."""
    kernels.library.cache_clear()
    yield
    kernels.library.cache_clear()


def picture(*shape, seed=0):
    """Noise, channels last."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).contiguous(
        memory_format=torch.channels_last
    )


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
    h = x if skip is None else torch.cat([x, skip], 1)
    ab = torch.rand(2, B, c + c2) if active else None
    d = h.double()
    if active:
        d = F.silu(d * ab[0][..., None, None] + ab[1][..., None, None])
    if up & kernels.UP:
        d = F.interpolate(d, scale_factor=2)
    want = F.conv2d(d, conv.weight.double(), conv.bias.double(), padding=1)
    r = None
    if residual:
        scale = 2 if up & kernels.UP_RESIDUAL else 1
        r = picture(B, o, want.shape[2] // scale, want.shape[3] // scale, seed=2)
        want = want + (F.interpolate(r, scale_factor=2) if scale == 2 else r)
    with on_threads(threads):
        close(kernels.conv3x3(x, skip, ab, conv, r, up), want)


@needed
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (31, 33)])
@pytest.mark.parametrize("c2", [0, 32])
@torch.no_grad()
def test_conv1x1_norms_activate(size, c2):
    torch.manual_seed(0)
    x, skip = 3 + 2 * picture(2, 64, *size), picture(2, c2, *size, seed=1) if c2 else None
    h = x if skip is None else torch.cat([x, skip], 1)
    conv, norm = nn.Conv2d(64 + c2, 32, 1), nn.GroupNorm(32, 64 + c2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    close(
        kernels.conv1x1(x, skip, conv),
        F.conv2d(h.double(), conv.weight.double(), conv.bias.double()),
    )
    film = torch.randn(2, 2 * (64 + c2))
    for given_film in (None, film):
        want = F.group_norm(h.double(), 32, norm.weight.double(), norm.bias.double(), norm.eps)
        if given_film is not None:
            scale, shift = film.double()[..., None, None].chunk(2, 1)
            want = want * (1 + scale) + shift
        ab = kernels.norms(x, skip, norm, given_film)
        close(h * ab[0][..., None, None] + ab[1][..., None, None], want)
        close(kernels.activate(h, ab), F.silu(want))


@needed
def test_silu_at_all_sizes():
    """From what overflows to what vanishes."""
    x = (
        torch.cat([s * torch.logspace(-30, 30, 4000) for s in (1, -1)])
        .view(1, 16, -1, 1)
        .contiguous(memory_format=torch.channels_last)
    )
    ab = torch.stack([torch.ones(1, 16), torch.zeros(1, 16)])
    made, want = kernels.activate(x, ab).double(), F.silu(x.double())
    assert (
        torch.isfinite(made).all()
        and ((made - want).abs() <= 3e-7 * want.abs() + 1e-30 + 1e-36 * x.abs()).all()
    )


@needed
@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_the_network_is_the_same(variant, monkeypatch):
    net, x, t = small_unet(**VARIANTS[variant]), picture(2, 3, 36, 20), torch.tensor([30.0, 800.0])
    fast = net(x, t)
    monkeypatch.setattr(kernels, "ready", lambda *_: False)
    slow = net(x, t)
    assert not torch.equal(fast, slow) and (fast - slow).abs().max() < 1e-4 * slow.abs().max()


@needed
@torch.no_grad()
def test_bit_for_bit_in_any_company():
    """Neither the batch nor the number of threads shows."""
    conv, norm, x = nn.Conv2d(64, 64, 3, padding=1), nn.GroupNorm(32, 64), picture(3, 64, 70, 45)
    one = [kernels.norms(x, None, norm), kernels.conv3x3(x, None, None, conv, x)]
    alone = [kernels.norms(x[1:2], None, norm), kernels.conv3x3(x[1:2], None, None, conv, x[1:2])]
    assert torch.equal(one[0][:, 1:2], alone[0]) and torch.equal(one[1][1:2], alone[1])
    with on_threads(torch.get_num_threads() + 1):
        two = [kernels.norms(x, None, norm), kernels.conv3x3(x, None, None, conv, x)]
    assert all(map(torch.equal, one, two))


@needed
def test_trained_weights_and_other_types_take_torchs_way():
    conv = nn.Conv2d(32, 32, 3, padding=1)
    with torch.no_grad():
        assert kernels.ready(picture(1, 32, 8, 8), [conv])
    assert not kernels.ready(picture(1, 32, 8, 8), [conv])
    assert not kernels.ready(picture(1, 32, 8, 8).double(), [])


@needed
@torch.no_grad()
def test_weights_that_change():
    conv, x = nn.Conv2d(32, 32, 3, padding=1), picture(1, 32, 8, 8)
    before = kernels.conv3x3(x, None, None, conv)
    conv.weight.mul_(2)
    conv.bias.mul_(2)
    close(kernels.conv3x3(x, None, None, conv), 2 * before)


@torch.no_grad()
def test_layers_that_do_not_fit():
    x = picture(1, 32, 8, 8)
    for sizes in ((32, 6, 3), (3, 64, 3), (32, 64, 5), (32, 64, 3, 2), (1024, 1024, 3)):
        assert not kernels.ready(x, [nn.Conv2d(*sizes)])
    assert not kernels.ready(x, [nn.Identity()])


@torch.no_grad()
def test_without_a_compiler(anew, monkeypatch, tmp_path):
    net, x, t = small_unet(), picture(1, 3, 16, 16), torch.tensor([500.0])
    want = net(x, t)
    broken, empty = tmp_path / "cc", tmp_path / "empty"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    for key, value in (
        ("CC", str(broken)),
        ("PATH", str(empty)),
        ("GDP_CACHE", "/proc/none"),
        ("GDP_KERNELS", "0"),
    ):
        with monkeypatch.context() as m:
            m.setenv(key, value)
            kernels.library.cache_clear()
            assert kernels.library() is None
            assert (net(x, t) - want).abs().max() < 1e-4 * want.abs().max()


@needed
def test_wrong_results_are_not_taken(anew, monkeypatch):
    monkeypatch.setattr(kernels, "G", kernels.G + 0.1)
    assert kernels.library() is None


@needed
def test_built_once(anew, monkeypatch, tmp_path):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path))
    assert kernels.library() is not None
    (made,) = tmp_path.iterdir()
    when = made.stat().st_mtime_ns
    kernels.library.cache_clear()
    assert kernels.library() is not None and made.stat().st_mtime_ns == when
