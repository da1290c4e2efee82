"""Operators of the library deepinv, wrapped."""

import pytest
import torch

from gdp.picture import to_image, to_model
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.base import LinearOperator
from operators.coded.deepinv import LinearPhysics, Physics
from operators.compose import Compose
from operators.missing.gray import Gray
from samplers.ddnm import DDNM
from samplers.gdp_linesearch import GDPLineSearch


@pytest.fixture(scope="module")
def library():
    return pytest.importorskip("deepinv").physics


def linear_ones(library):
    """Physics with and without closed forms, that change channels and size or keep them."""
    mask = torch.rand(1, 32, 40).round()
    return {
        "inpainting": library.Inpainting((3, 32, 40), mask=mask),
        "grey": library.Decolorize(),
        "super-resolution": library.Downsampling((3, 32, 40), filter="bicubic", factor=2),
        "valid blur": library.Blur(
            library.functional.gaussian_blur(sigma=(1.0, 1.0)), padding="valid"
        ),
        "circular blur": library.BlurFFT(
            (3, 32, 40), library.functional.gaussian_blur(sigma=(1.0, 1.0))
        ),
    }


@pytest.mark.parametrize(
    "kind", ["inpainting", "grey", "super-resolution", "valid blur", "circular blur"]
)
def test_linear_physics(library, kind):
    physics, x = linear_ones(library)[kind], 2 * torch.rand(2, 3, 32, 40, dtype=torch.float64) - 1
    A = Physics(physics)
    assert isinstance(A, LinearPhysics) and isinstance(A, LinearOperator)
    y = A(x)
    torch.testing.assert_close(y, physics.A(x))
    assert tuple(A.x_shape(y)) == tuple(x.shape)
    v = torch.randn_like(y)
    assert float((y * v).sum()) == pytest.approx(
        float((x * A.adjoint(v)).sum()), rel=1e-9, abs=1e-9
    )
    assert (A(A.pinv(y)) - y).norm() < 2e-2 * y.norm()
    p = A.prox(x, v, 0.3)
    assert (A.adjoint(A(p) - v) + 0.3 * (p - x)).norm() < 1e-4 * p.norm()


def test_single_precision_stays(library):
    A = Physics(linear_ones(library)["inpainting"])
    x = torch.rand(1, 3, 32, 40)
    y = A(x)
    assert A(x.double()).dtype == torch.float64 and A(x).dtype == torch.float32
    torch.testing.assert_close(A(x), y)


def test_a_measurement_in_pixels_is_observed(library):
    for physics in linear_ones(library).values():
        A, p = Physics(physics), torch.rand(1, 3, 32, 40)
        photo = to_model(physics.A(p)).expand(-1, 3, -1, -1)
        torch.testing.assert_close(A.observe(photo), A(to_model(p)), atol=1e-5, rtol=1e-5)


def test_noise_is_left_out(library):
    physics = library.Denoising(library.GaussianNoise(sigma=0.5))
    x = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(Physics(physics)(x), x)


def test_nonlinear_physics(library):
    physics = library.Physics(A=lambda x: x.square())
    A, x = Physics(physics), torch.rand(1, 3, 8, 8)
    assert not isinstance(A, LinearOperator) and not hasattr(A, "pinv")
    torch.testing.assert_close(to_image(A(x)), physics.A(to_image(x)))
    restored = GDPLineSearch(schedule=Schedule(steps=5))(GaussianPrior(std=0.5), A, A(x)).x
    assert (A(restored) - A(x)).norm() < (A(torch.zeros_like(x)) - A(x)).norm()


def test_samplers_and_composition(library):
    A = Physics(linear_ones(library)["inpainting"])
    y = A(torch.rand(1, 3, 32, 40))
    restored = DDNM(schedule=Schedule(steps=5))(GaussianPrior(std=0.5), A, y).x
    torch.testing.assert_close(A(restored), y, atol=1e-4, rtol=1e-4)
    both = Compose([A, Gray()])
    assert both.x_shape(both(restored)) == (1, 3, 32, 40)


def test_what_is_no_physics(library):
    with pytest.raises(TypeError, match=r"takes a deepinv\.physics"):
        Physics(torch.nn.Identity())
    with pytest.raises(TypeError, match="no real tensor"):
        Physics(library.Physics(A=lambda x: torch.complex(x, x)))(torch.rand(1, 3, 4, 4))
