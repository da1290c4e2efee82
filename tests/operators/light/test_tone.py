"""Tone curves: clipping, gamma, a sensor's response."""

import pytest
import torch

from operators.light import tone
from operators.tools.units import to_model, to_pixels


def test_clip():
    p = torch.tensor([-0.1, 0.0, 0.2, 0.6, 1.0])
    torch.testing.assert_close(
        to_pixels(tone.Clip(2.0)(to_model(p))), torch.tensor([0, 0, 0.4, 1, 1])
    )


@pytest.mark.parametrize("gamma", [0.4, 1.0, 2.2, 2.4])
def test_gamma_is_smooth_and_invertible(gamma):
    p = torch.linspace(-0.1, 1.1, 2001, dtype=torch.float64)
    v = tone.encode(p, gamma)
    torch.testing.assert_close(tone.decode(v, gamma), p)
    assert (v.diff() > 0).all()
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(tone.encode(ends, gamma), ends)
    near = torch.tensor([tone.TOE - 1e-9, tone.TOE + 1e-9], dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(tone.encode(near, gamma).sum(), near)
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-5, atol=0)


def test_gamma_is_srgbs():
    p = torch.linspace(0, 1, 101, dtype=torch.float64)
    expected = torch.where(p <= 0.0031308, 12.92 * p, 1.055 * p ** (1 / 2.4) - 0.055)
    torch.testing.assert_close(tone.encode(p, 2.4), expected, atol=1e-3, rtol=0)


def test_sensor_response():
    p = torch.linspace(0, 1, 101, dtype=torch.float64)
    v = to_pixels(tone.SensorResponse()(to_model(p)))
    torch.testing.assert_close(v, 1.6 * p**0.9 / (p**0.9 + 0.6), atol=1e-3, rtol=0)
    assert (v.diff() > 0).all() and float(v[-1]) == pytest.approx(1)


def test_a_clipped_value_is_anything_above_the_clip():
    A, p = tone.Clip(2.0), torch.tensor([0.1, 0.3, 0.6, 0.9]).view(1, 1, 1, 4)
    y = A(to_model(p))
    guess = to_pixels(A.guess(y))
    torch.testing.assert_close(guess[..., :2], p[..., :2])
    assert (guess[..., 2:] >= 0.5).all()

    # Below the clip a value is raised to it, above it is left.
    there = to_pixels(A.project(to_model(torch.tensor([0.9, 0.9, 0.4, 0.7]).view_as(p)), y))
    torch.testing.assert_close(there.flatten(), torch.tensor([0.1, 0.3, 0.5, 0.7]))
    assert torch.equal(A.with_noise(0.1).project(y, y), y)  # noise is not to be put back


@pytest.mark.parametrize("A", [tone.Clip(2.0), tone.Gamma(2.2), tone.Gamma(0.5)], ids=str)
@pytest.mark.parametrize("rho", [0.01, 1.0])
def test_the_proximal_step_is_the_minimum(A, rho):
    """Against a search over a fine grid of values."""
    grid = to_model(torch.linspace(-0.2, 1.4, 3201)).view(-1, 1, 1, 1)
    for v, y in [(0.2, 0.3), (0.7, 0.9), (0.45, 1.0), (0.9, 1.1)]:
        v, y = to_model(torch.full((1, 1, 1, 1), v)), to_model(torch.full((1, 1, 1, 1), y))
        cost = (A(grid) - y).square() + rho * (grid - v).square()
        best = grid[cost.flatten().argmin()]
        torch.testing.assert_close(A.prox(v, y, rho)[0], best, atol=2e-3, rtol=0)


@pytest.mark.parametrize("A", [tone.Gamma(2.2), tone.Gamma(0.4), tone.SensorResponse()], ids=str)
def test_a_curve_is_undone(A):
    x = to_model(torch.linspace(0.01, 1, 50)).view(1, 1, 5, 10)
    torch.testing.assert_close(A.project(0 * x, A(x)), x, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: tone.Clip(0), "gain.*above 0"),
        (lambda: tone.Gamma(float("nan")), "gamma.*above 0"),
        (lambda: tone.SensorResponse(n=-1), "n=-1.*above 0"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_noise_does_not_make_a_clipped_value_one_that_is_known():
    A = tone.Clip(2.0).with_noise(0.04)
    p = torch.tensor([0.2, 0.8]).view(1, 1, 1, 2)
    y = A(to_model(p)) - 0.03  # the second is clipped, and darker than white by noise
    near = to_pixels(A.prox(to_model(p), y, 0.01)).flatten()
    assert near[0] == pytest.approx(0.1925, abs=2e-3) and near[1] == pytest.approx(0.8)
    assert to_pixels(tone.Clip(2.0).prox(to_model(p), y, 0.0001)).flatten()[1] < 0.5
