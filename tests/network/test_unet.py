"""The UNet: shapes, published names and sizes, and that every part of it learns."""

import json

import pytest
import torch

from gdp.network.unet import UNet, arguments_from_flags
from tests.prior.test_prior import TINY, tiny


@pytest.mark.parametrize("new_order", [False, True])
def test_unet_heads_and_shapes(new_order):
    net = tiny(use_new_attention_order=new_order)
    x = torch.randn(2, 3, 16, 24)
    out = net(x, torch.tensor([3.0, 700.5]))
    assert out.shape == (2, 6, 16, 24) and out.isfinite().all()
    torch.testing.assert_close(net(x[1:], torch.tensor([700.5])), out[1:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        net(x.contiguous(memory_format=torch.channels_last), torch.tensor([3.0, 700.5])), out
    )


def test_plain_resampling_and_no_scale_shift():
    net = tiny(resblock_updown=False, use_scale_shift_norm=False, num_head_channels=-1, num_heads=2)
    assert net(torch.randn(1, 3, 8, 8), torch.tensor([1.0])).shape == (1, 6, 8, 8)
    assert (
        "input_blocks.2.0.op.weight" in net.state_dict()
        and "output_blocks.1.2.conv.weight" in net.state_dict()
    )
    with pytest.raises(ValueError, match="heads"):
        UNet(**{**TINY, "num_head_channels": -1, "num_heads": 3})


def test_flags_make_the_published_network():
    flags = {
        "image_size": 256,
        "num_channels": 256,
        "num_res_blocks": 2,
        "attention_resolutions": "32,16,8",
    }
    with torch.device("meta"):
        net = UNet(**arguments_from_flags(**flags, num_head_channels=64, learn_sigma=True))
    assert sum(p.numel() for p in net.parameters()) == 552_814_086


def test_published_keys(golden):
    for file in sorted(golden.glob("adm_keys_*.json")):
        known = json.loads(file.read_text())
        with torch.device("meta"):
            net = UNet(**arguments_from_flags(**known["config"]))
        assert {k: list(v.shape) for k, v in net.state_dict().items()} == known["keys"]


def test_a_training_step_moves_every_parameter():
    net = UNet(**TINY).train()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(4):
        optimizer.zero_grad()
        net(torch.randn(2, 3, 8, 8), torch.tensor([5.0, 900.0])).square().add(
            1
        ).log().sum().backward()
        if all(p.grad is not None for p in net.parameters()):
            net.out[-1].bias.grad += 1
        optimizer.step()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
