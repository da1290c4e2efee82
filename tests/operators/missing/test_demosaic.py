"""Demosaicking: by filters, and what the network makes of it."""

import pytest
import torch

import gdp
from gdp.picture import to_image
from gdp.prior.noise import Noise
from operators.missing.demosaic import bilinear, malvar
from operators.missing.mosaic import BAYER, Mosaic
from samplers.start import first_guess
from tests.photos import astronaut


@pytest.mark.parametrize("method", [malvar, bilinear])
@pytest.mark.parametrize("pattern", BAYER)
def test_planes_and_what_was_seen_are_kept(method, pattern):
    across = torch.linspace(0.1, 0.9, 16, dtype=torch.float64).expand(12, 16)
    x = torch.stack([across, 1 - across, 0.5 * across])[None]
    A = Mosaic(pattern)
    filters = A.filters(A(x))
    out = method(A(x), filters)
    assert torch.allclose(out * filters, x * filters)
    if method is malvar:  # for planes that differ by no more than a constant
        x = torch.stack([across, across + 0.1, across - 0.1])[None]
        out = malvar(A(x), filters)
    assert torch.allclose(out[..., 3:-3, 3:-3], x[..., 3:-3, 3:-3])


def test_the_first_guess_is_that_of_the_filters():
    x = astronaut(64)
    A = Mosaic("GRBG")
    y = A(x)
    errors = {
        name: float((guess - x).square().mean())
        for name, guess in (("own", first_guess(A, y)), ("bilinear", bilinear(y, A.filters(y))))
    }
    assert torch.equal(first_guess(A, y), malvar(y, A.filters(y)))
    assert errors["own"] < 0.6 * errors["bilinear"]

    # Where colours are in no Bayer order, or the picture is too small for a filter.
    odd = Mosaic("RGBG")
    assert torch.equal(first_guess(odd, odd(x)), bilinear(odd(x), odd.filters(x)))
    assert first_guess(A, y[..., :2, :2]).shape == (1, 3, 2, 2)


@pytest.mark.parametrize("sigma_y, gain", [(0.0, 2.0), (0.03, 1.5)])
def test_a_restoration_is_above_the_filters(sigma_y, gain):
    """In dB, with the sensor's noise and without."""
    x = astronaut(96)
    A = Mosaic()
    y = A(x) + 2 * sigma_y * Noise([0]).like(A(x))
    settings = {"sigma_y": sigma_y} if sigma_y else {}
    result = gdp.restore(to_image(y)[0].expand(3, -1, -1), operator=A, **settings)
    errors = [
        float((p.view_as(x) - to_image(x)).square().mean().log10())
        for p in (to_image(malvar(y, A.filters(y))), result.pixels)
    ]
    assert 10 * (errors[0] - errors[1]) > gain
