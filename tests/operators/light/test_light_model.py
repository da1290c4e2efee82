"""The tangent of f phi(x) + M, and where y says nothing."""

import torch

from gdp.picture import to_model
from operators.light import Light
from tests.operators.light.photos import photo


def test_tangent_of_curve_and_gamma():
    A = Light(gamma=2.2).bind(to_model(0.2 * photo() ** 2.2))
    A.white = torch.full((1, 1, 1, 1), 3.0)
    A.point = photo("coffee")
    nudge = 1e-3 * torch.randn(1, 3, 96, 96)
    x = to_model(A.point)
    moved = A(x + nudge) - A(x)
    torch.testing.assert_close(A.linear()(nudge), moved, rtol=0.05, atol=2e-5)
    torch.testing.assert_close(A.linear()(x) + A.offset(A(x)), A(x), rtol=1e-4, atol=1e-4)


def test_burnt_out_pixels_only_bound():
    x = photo()
    y = to_model((2 * x).clamp(max=1))
    A = Light(mask=False).bind(y)
    lost = (2 * x).amax(1, keepdim=True) >= 1
    assert lost.any()
    A.point = torch.ones_like(x)
    assert not (A.linear_part().weights[(2 * x >= 1)]).any()
    A.point = torch.zeros_like(x)
    assert A.linear_part().weights.all()
