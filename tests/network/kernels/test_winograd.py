"""Weights in the order of the CPU's kernels."""

import pytest
import torch
from torch import nn

from gdp.network.kernels.winograd import G, pack, panels, taps_gradient


def test_a_weight_is_where_the_kernels_look_for_it():
    """[36, O / columns, C, columns] of G g G^T; a 1 x 1 is not transformed."""
    weight = torch.randn(64, 5, 3, 3)
    packed = panels(weight, 16)
    assert packed.shape == (36, 4, 5, 16)
    expected = (G @ weight[37, 2].double() @ G.T).flatten()
    torch.testing.assert_close(packed[:, 37 // 16, 2, 37 % 16].double(), expected)

    points = torch.randn(32, 5, 1, 1)
    assert torch.equal(panels(points, 16)[0, 1, :, 3], points[19, :, 0, 0])


def test_the_adjoints_weights_are_turned_round():
    weight = torch.randn(32, 64, 3, 3)
    turned = weight.flip(2, 3).transpose(0, 1).contiguous()
    assert torch.equal(panels(weight, 16, adjoint=True), panels(turned, 16))


def test_gradient_in_the_taps():
    """Dot test of the transform."""
    weight, g = torch.randn(16, 8, 3, 3), torch.randn(36, 8, 16)
    forth = (panels(weight, 16)[:, 0] * g).sum().item()
    back = (weight * taps_gradient(g)).sum().item()
    assert forth == pytest.approx(back, rel=1e-4)


def test_packed_once_unless_trained():
    conv = nn.Conv2d(16, 32, 3).requires_grad_(False)
    weights, bias = pack(conv, 16)
    assert pack(conv, 16)[0] is weights and torch.equal(bias, conv.bias)
    assert pack(conv, 16, adjoint=True)[1].tolist() == [0] * 16

    conv.weight.mul_(2)
    assert torch.equal(pack(conv, 16)[0], 2 * weights)
    conv.requires_grad_()
    assert pack(conv, 16)[0] is not pack(conv, 16)[0]
