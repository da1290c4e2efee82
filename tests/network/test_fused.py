"""The network by the CPU's kernels is the network by torch."""

import pytest
import torch

from gdp.network.kernels import cpu as kernels
from tests.network.kernels.pictures import needed, picture
from tests.networks import VARIANTS, small_unet


@needed
@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_the_network_is_the_same(variant, monkeypatch):
    net, x, t = small_unet(**VARIANTS[variant]), picture(2, 3, 36, 20), torch.tensor([30.0, 800.0])
    fast = net(x, t)
    monkeypatch.setattr(kernels, "ready", lambda *_: False)
    slow = net(x, t)
    assert not torch.equal(fast, slow) and (fast - slow).abs().max() < 1e-4 * slow.abs().max()
