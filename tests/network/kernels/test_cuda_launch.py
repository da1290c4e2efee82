"""The GPU's normalizations against float64."""

import pytest
import torch
import torch.nn.functional as F

from gdp.network.kernels import cuda_launch as kernels
from tests.network.kernels.device import (
    DEVICE,
    close,
    group_norm,
    normalized,
    on_a_device,
    picture,
    same_arithmetic,  # noqa: F401
)


@on_a_device
@pytest.mark.parametrize(
    ("size", "c", "c2", "dtype", "with_film"),
    [
        ((1, 1), 64, 0, torch.float32, True),
        ((7, 5), 32, 0, torch.bfloat16, False),
        ((9, 15), 96, 32, torch.float16, True),
        ((8, 8), 160, 96, torch.bfloat16, True),
        ((33, 5), 32, 64, torch.float32, False),
    ],
)
@torch.no_grad()
def test_norms_and_activate(size, c, c2, dtype, with_film):
    x = picture(2, c, *size, dtype=dtype) * 2 + 5
    skip = picture(2, c2, *size, dtype=dtype) if c2 else None
    h = x if skip is None else torch.cat([x, skip], 1)
    norm = group_norm(c + c2, dtype)
    film = torch.randn(2, 2 * (c + c2)).to(DEVICE, dtype) if with_film else None
    expected = normalized(h, norm, film)

    ab = kernels.norms(x, skip, norm, film)
    assert ab.dtype == torch.float32 and ab.shape == (2, 2, c + c2)
    a, b = ab[..., None, None]
    close((h.double() * a + b).float(), expected, torch.float32)

    result = kernels.activate(x, ab, skip)
    assert result.is_contiguous(memory_format=torch.channels_last)
    close(result, F.silu(expected), dtype)
    close(kernels.activate(x, ab, skip, silu=False), expected, dtype)


@on_a_device
@torch.no_grad()
def test_a_large_mean_costs_no_accuracy(monkeypatch):
    monkeypatch.setattr(kernels, "RUNS", 2)  # of more pixels than a block has
    x, norm = 1000 + picture(1, 32, 40, 11), group_norm(32, torch.float32)
    a, b = kernels.norms(x, None, norm)[..., None, None]

    # 1000 in float32 itself is known to 6e-5, b to as much times a.
    assert (x.double() * a + b - normalized(x, norm, None)).abs().max() < 2e-3


@on_a_device
@torch.no_grad()
def test_the_same_in_any_company():
    x, norm = picture(2, 64, 20, 4), group_norm(64, torch.float32)
    together, alone = kernels.norms(x, None, norm), kernels.norms(x[1:2], None, norm)
    assert torch.equal(together[:, 1:2], alone)
    assert torch.equal(together, kernels.norms(x, None, norm))
    assert torch.equal(kernels.activate(x, together)[1:2], kernels.activate(x[1:2], alone))


@on_a_device
@torch.no_grad()
def test_silu_at_all_sizes():
    x = torch.cat([s * torch.logspace(-30, 30, 256) for s in (1, -1)]).view(1, 32, -1, 1).to(DEVICE)
    ab = torch.stack([torch.ones(1, 32), torch.zeros(1, 32)]).to(DEVICE)
    result, expected = kernels.activate(x, ab).double(), F.silu(x.double())
    assert torch.isfinite(result).all()
    assert ((result - expected).abs() <= 1e-6 * expected.abs() + 1e-30).all()
