"""FFDNet and DRUNet: the networks that files of their published names hold."""

import torch
import torch.nn.functional as F

from gdp.network.denoisers import DRUNet, FFDNet, denoiser_of


def test_ffdnet_is_read_from_its_names_and_shapes():
    """The published network for colour: 12 layers of 96 channels, names model.0, model.2 ..."""
    weights = FFDNet().state_dict()
    assert sorted(weights) == sorted(
        f"model.{2 * k}.{p}" for k in range(12) for p in ("weight", "bias")
    )
    assert weights["model.0.weight"].shape == (96, 13, 3, 3)
    assert weights["model.22.weight"].shape == (12, 96, 3, 3)

    net = denoiser_of(FFDNet(3, 8, 4).state_dict())
    assert isinstance(net, FFDNet) and net.channels == 3 and len(net.model) == 7
    assert denoiser_of(FFDNet(1, 8, 4).state_dict()).channels == 1


def test_ffdnet_sees_quarters_and_the_level():
    net = FFDNet(3, 4, 2)
    x = torch.rand(2, 3, 6, 8)
    places = [(c, i, j) for c in range(3) for i in (0, 1) for j in (0, 1)]
    quarters = torch.stack([x[:, c, i::2, j::2] for c, i, j in places], 1)
    level = torch.full((2, 1, 3, 4), 0.1)
    first, last = net.model[0], net.model[2]
    h = F.conv2d(torch.cat([quarters, level], 1), first.weight, first.bias, padding=1).relu()
    out = F.conv2d(h, last.weight, last.bias, padding=1)

    expected = torch.zeros_like(x)
    for k, (c, i, j) in enumerate(places):
        expected[:, c, i::2, j::2] = out[:, k]
    assert torch.allclose(net(x, 0.1), expected, atol=1e-6)


def test_drunet_is_read_from_its_names_and_shapes():
    """Four levels of 64 to 512 channels and 4 blocks, without bias."""
    with torch.device("meta"):
        weights = DRUNet().state_dict()
    assert not any(name.endswith("bias") for name in weights)
    assert weights["m_head.weight"].shape == (64, 4, 3, 3)
    assert weights["m_down1.4.weight"].shape == (128, 64, 2, 2)
    assert weights["m_up3.0.weight"].shape == (512, 256, 2, 2)
    assert weights["m_up1.4.res.2.weight"].shape == (64, 64, 3, 3)
    assert weights["m_tail.weight"].shape == (3, 64, 3, 3)
    assert sum(w.numel() for w in weights.values()) == 32640960  # as published

    net = denoiser_of(DRUNet(3, (4, 6, 8, 10), 2).state_dict())
    assert isinstance(net, DRUNet) and len(net.m_body) == 2
    assert net.m_body[0].res[0].weight.shape == (10, 10, 3, 3)


def test_drunet_with_blocks_of_nothing_is_its_skips():
    """Blocks whose second convolution is 0 pass on what they get: the levels add up."""
    net = DRUNet(1, (2, 2, 2, 2), 1)
    for name, weight in net.named_parameters():
        if name.endswith("res.2.weight") or "_up" in name:
            weight.data.zero_()
    x = torch.rand(1, 1, 8, 8)
    assert torch.allclose(net(x, 0.2), net.m_tail(net.m_head(torch.cat([x, x * 0 + 0.2], 1))))


def test_other_networks_are_neither():
    assert denoiser_of({}) is None
    assert denoiser_of({"input_blocks.0.0.weight": torch.zeros(1)}) is None
    assert denoiser_of({"model.0.weight": torch.zeros(4, 3)}) is None
    assert (
        denoiser_of({"m_head.weight": torch.zeros(1), "m_body.0.res.0.weight": torch.zeros(1)})
        is None
    )
