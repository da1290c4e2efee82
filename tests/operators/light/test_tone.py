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
