"""The prior around a network: any size, times, labels, gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.network.unet import UNet
from gdp.prior.prior import Prior, reflect_to_multiple
from gdp.prior.schedule import betas

TINY = {
    "model_channels": 32,
    "num_res_blocks": 1,
    "channel_mult": (1, 2),
    "attention_downsampling": (2,),
    "num_head_channels": 16,
}


def tiny(**more):
    """A small UNet with weights that matter everywhere."""
    net = UNet(**{**TINY, **more})
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.05)
    return net.eval()


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 8, 32]))
@settings(max_examples=60, deadline=None)
def test_reflection_fits_any_size(h, w, divisor):
    x = torch.arange(h * w, dtype=torch.float32).view(1, 1, h, w)
    z = reflect_to_multiple(x, divisor)
    assert z.shape[-2] % divisor == 0 and z.shape[-1] % divisor == 0
    assert z.shape[-2] - h < divisor and z.shape[-1] - w < divisor
    torch.testing.assert_close(z[..., :h, :w], x)
    if h > 1 and z.shape[-2] > h:
        torch.testing.assert_close(z[..., h, :w], x[..., h - 2, :])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (16, 16)])
def test_prior_takes_any_size(size):
    prior = Prior(tiny(), betas())
    eps, x0, v = prior(torch.randn(2, 3, *size), 500)
    assert eps.shape == x0.shape == v.shape == (2, 3, *size)
    assert prior.calls == 1 and prior.pixels == 2 * math.prod(-(-n // 2) * 2 for n in size)
    assert not any(p.requires_grad for p in prior.parameters())


def test_prior_feeds_its_network_t_minus_one():
    class Spy(torch.nn.Module):
        def forward(self, x, timesteps, labels):
            self.seen = timesteps.tolist(), labels
            return torch.cat([x, x], 1)

    prior = Prior(Spy(), betas())
    prior(torch.zeros(2, 3, 4, 4), 951)
    assert prior.net.seen == ([950.0, 950.0], None)
    Prior(tiny(num_classes=10), betas(), label=3)(torch.zeros(1, 3, 4, 4), 1)


@pytest.mark.parametrize("classes, label", [(10, None), (10, 10), (10, -1), (None, 3)])
def test_labels_are_required_where_there_are_classes(classes, label):
    with pytest.raises(ValueError, match="label"):
        Prior(tiny(num_classes=classes), betas(), label)


def test_prior_is_differentiable_in_x_alone():
    prior = Prior(tiny(), betas())
    x = torch.randn(1, 3, 8, 8, requires_grad=True)
    (g,) = torch.autograd.grad(prior(x, 300).x0.square().sum(), x)
    assert g.isfinite().all() and float(g.abs().sum()) > 0
