"""Gains, haze and mixing: linear in [0, 1], and so affine in [-1, 1]."""

import pytest
import torch
from PIL import Image

from operators.base import AffineOperator, SpectralOperator
from operators.light.gains import Gains
from operators.light.mixing import Mixing
from operators.light.scattering.haze import Haze
from operators.tools.units import to_model, to_pixels
from tests.conftest import operator_of
from tests.operators.pictures import RAMP, dot, pixels

AFFINE = ("gains", "haze", "mixing")


@pytest.fixture
def fog(tmp_path):
    """A transmission map from nothing to everything."""
    Image.fromarray(RAMP).save(tmp_path / "fog.png")
    return str(tmp_path / "fog.png")


@pytest.fixture(params=[*AFFINE, "map", "tall", "wide", "singular"])
def affine(request, mask_file, fog) -> AffineOperator:
    made = {
        "map": lambda: Haze(fog),
        "tall": lambda: Mixing([[1, 0, 0], [0.2, 0.5, 0.1], [0, 0, 1], [0.3, 0.3, 0.3]]),
        "wide": lambda: Mixing([[0.3, 0.5, 0.2], [0.1, 0.1, 0.8]]),
        "singular": lambda: Mixing([[0.3, 0.5, 0.2], [0.30000001, 0.5, 0.2], [0, 0, 1]]),
    }
    return made[request.param]() if request.param in made else operator_of(request.param, mask_file)


def test_affine_is_linear_and_an_offset(affine):
    x = pixels(2, 3, 31, 41, dtype=torch.float64)
    y, L = affine(x), affine.linear()
    assert isinstance(L, SpectralOperator)
    torch.testing.assert_close(L(x) + affine.offset(y), y)
    torch.testing.assert_close(L(x), AffineOperator.linear(affine)(x))
    assert tuple(L.x_shape(y)) == tuple(affine.x_shape(y)) == tuple(x.shape)
    affine.sigma_y = 0.1
    assert affine.linear().sigma_y == 0.1


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_affine_adjoint(affine, dtype, tolerance):
    L, x = affine.linear(), torch.randn(2, 3, 31, 41, dtype=dtype)
    v = L(x) + torch.randn_like(L(x))
    assert abs(dot(L(x), v) - dot(x, L.adjoint(v))) <= tolerance * abs(dot(L(x), v))


def test_affine_pinv_and_spectral(affine):
    L, x = affine.linear(), torch.randn(2, 3, 31, 41, dtype=torch.float64)
    y = L(x)
    v = torch.randn_like(y)
    torch.testing.assert_close(L(L.pinv(y)), y)
    torch.testing.assert_close(L.pinv(L(L.pinv(v))), L.pinv(v))
    torch.testing.assert_close(dot(L(L.pinv(v)), y), dot(v, L(L.pinv(y))))
    torch.testing.assert_close(L.spectral(x, torch.ones_like), x)
    torch.testing.assert_close(L.spectral(x, lambda s: s**2), L.adjoint(y))
    gradient = L.adjoint(L(L.prox(x, v, 0.3)) - v) + 0.3 * (L.prox(x, v, 0.3) - x)
    torch.testing.assert_close(gradient, torch.zeros_like(x))


def test_affine_in_pixels(fog):
    p = torch.rand(1, 3, 12, 9, dtype=torch.float64)
    gains = torch.tensor([1.2, 1.0, 0.7]).double().view(1, 3, 1, 1)
    torch.testing.assert_close(to_pixels(Gains()(to_model(p))), gains * p, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(
        to_pixels(Haze(0.6, [0.9, 0.8, 0.7])(to_model(p)))[:, 1], 0.6 * p[:, 1] + 0.4 * 0.8
    )
    t = torch.from_numpy(RAMP / 255)
    torch.testing.assert_close(to_pixels(Haze(fog)(to_model(p))), p * t + 0.9 * (1 - t))
    torch.testing.assert_close(
        to_pixels(Mixing([[0.5, 0.25, 0]])(to_model(p)))[:, 0], 0.5 * p[:, 0] + 0.25 * p[:, 1]
    )


def test_files_that_are_no_map(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        (tmp_path / "map.png").write_bytes(b"none")
        Haze(str(tmp_path / "map.png"))


def test_a_missing_file():
    with pytest.raises(FileNotFoundError, match="operator"):
        Haze("none.png")


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Haze(1.5), "transmission"),
        (lambda: Haze(airlight=[0.9, 0.9]), "three numbers"),
        (lambda: Gains([1.0, 0.0, 1.0]), "above 0"),
        (lambda: Mixing([[1.0, 0.0]]), "rows of three"),
        (lambda: Mixing([]), "rows of three"),
        (lambda: Mixing([[0.0, 0.0, 0.0]]), "not all 0"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
