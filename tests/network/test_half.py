"""Gradients through a network in float16: small ones come through, each picture's on its own."""

import pytest
import torch

from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior
from tests.networks import small_unet


def gradient(prior, x, strength):
    """The gradient in x of a product with eps, [B]."""
    x = x.clone().requires_grad_()
    eps = prior(x, 500).eps
    pull = torch.randn(eps.shape, generator=torch.Generator().manual_seed(3)) * strength
    return torch.autograd.grad(eps, x, pull)[0]


@pytest.mark.parametrize("tiles", [False, True])
def test_small_gradients_are_not_lost(tiles):
    """As near to float32's at 1e-9, of which float16 holds nothing, as at 1."""
    x = torch.randn(2, 3, 16, 16)
    narrow = Prior(small_unet().compute_in(torch.float16), betas())
    narrow = TiledPrior(narrow) if tiles else narrow
    exact = gradient(Prior(small_unet(), betas()), x, 1.0)

    together = torch.tensor([1.0, 1e-9])[:, None, None, None]
    got = gradient(narrow, x, together) / together
    for one, want in zip(got, exact, strict=True):
        assert (one - want).abs().max() < 5e-3 * want.abs().max()

    # A power of two is no change, not even of a bit; nothing at all stays nothing.
    assert torch.equal(gradient(narrow, x, 2**-40) * 2**40, gradient(narrow, x, 1.0))
    assert not gradient(narrow, x, 0.0).any()


def test_other_types_are_left_alone(monkeypatch):
    monkeypatch.setattr("gdp.network.half.Scaled.apply", None)  # calling it raises
    for dtype in (torch.float32, torch.bfloat16):
        gradient(Prior(small_unet().compute_in(dtype), betas()), torch.randn(1, 3, 8, 8), 1.0)
    with torch.no_grad():
        narrow = Prior(small_unet().compute_in(torch.float16), betas())
        narrow(torch.randn(1, 3, 8, 8), 500)
    with pytest.raises(TypeError):
        gradient(narrow, torch.randn(1, 3, 8, 8), 1.0)
