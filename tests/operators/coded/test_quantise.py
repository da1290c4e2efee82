"""Few grey levels: projection, and gradients through rounding."""

import pytest
import torch

from operators.coded.jpeg import JPEG
from operators.coded.quantise import Quantise
from operators.light.tone import Clip
from tests.conftest import sampler_of
from tests.operators.pictures import pixels
from tests.photos import astronaut


def test_rounding_passes_gradients_straight_through():
    x, v = (
        pixels(1, 3, 16, 24, dtype=torch.float64).requires_grad_(),
        torch.randn(1, 3, 16, 24, dtype=torch.float64),
    )
    for operator in (Quantise(), JPEG(10, subsampling=0)):
        torch.testing.assert_close(torch.autograd.grad(operator(x), x, v)[0], v)


@pytest.mark.parametrize("make", [lambda: Quantise(1), lambda: Quantise(3), lambda: Quantise(12)])
def test_quantise_projects(make):
    A, x, y = make(), 2 * torch.randn(2, 3, 31, 41), make()(torch.randn(2, 3, 31, 41))
    p = A.project(x, y)
    torch.testing.assert_close(A(p), y)
    torch.testing.assert_close(A.project(p, y), p)
    assert len(A(x).unique()) <= A.top + 1
    inside = A(x) == y
    torch.testing.assert_close(p[inside], x[inside], atol=0.02 / A.top, rtol=0)
    torch.testing.assert_close(A.project(y, y), y)


def test_the_proximal_step_is_between_the_cell_and_the_picture():
    A, x, v = Quantise(3), astronaut(16), astronaut(16).flip(-1)
    y = A(x)
    near, rho = A.project(v, y), 0.5
    torch.testing.assert_close(A.prox(v, y, rho), (near + rho * v) / (1 + rho))


@pytest.mark.parametrize("A", [Quantise(3), Clip(2.0)], ids=["quantise", "clip"])
def test_auto_gains_three_decibels(A, photo64):
    x = astronaut(64)
    y = A(x)
    result = sampler_of("auto", 8)(photo64, A, y).x.clamp(-1, 1)
    assert (result - x).norm() < 10 ** (-3 / 20) * (y - x).norm()
    assert (A(result) - y).abs().max() < 0.01


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Quantise(0), "bit depth"),
        (lambda: Quantise(2.5), "bit depth"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
