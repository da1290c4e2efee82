"""Operators that are not linear: gradients, projections, agreement with real codecs; and the linear parts of affine ones."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.picture import read, rounded
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.base import AffineOperator, SpectralOperator
from operators.blur import blur, kernels
from operators.blur.nonlinear_blur import NonlinearBlur
from operators.coded.jpeg import JPEG
from operators.coded.phase import PhaseRetrieval
from operators.coded.quantise import Quantise
from operators.light import tone
from operators.light.gains import Gains
from operators.light.haze import Haze
from operators.light.mixing import Mixing
from operators.tools.units import to_model, to_pixels
from samplers.gdp_x0 import GDPx0
from tests.conftest import operator_of

STEPPED = (
    "jpeg",
    "quantise",
    "clip",
)  # rounded with a straight-through gradient, or kinked: no gradcheck
SMOOTH = ("gamma", "sensor", "phase", "nonlinear_blur")
AFFINE = ("gains", "haze", "mixing")
EVERY = (*STEPPED, *SMOOTH, *AFFINE)
CAT = "gdp/picture/samples/cat.png"
FOG = np.linspace(0, 255, 12 * 9).reshape(12, 9).astype(np.uint8)


def pixels(*shape, dtype=torch.float32):
    """Random images inside the range of pixels."""
    return 1.8 * torch.rand(*shape, dtype=dtype) - 0.9


def dot(p, q):
    return float((p.double() * q.double()).sum())


def saved(picture: torch.Tensor, **settings) -> io.BytesIO:
    """A picture [1, 3, H, W] in [0, 1] as the bytes of a JPEG."""
    file = io.BytesIO()
    array = (255 * picture[0].permute(1, 2, 0)).round().byte().numpy()
    Image.fromarray(array).save(file, "JPEG", **settings)
    return file


@pytest.fixture
def fog(tmp_path):
    """A transmission map from nothing to everything."""
    Image.fromarray(FOG).save(tmp_path / "fog.png")
    return str(tmp_path / "fog.png")


@pytest.fixture(params=EVERY)
def A(request, mask_file):
    return operator_of(request.param, mask_file)


@pytest.mark.parametrize("size", [(31, 41), (1, 1), (7, 16)])
def test_any_size_and_batch(A, size):
    x = pixels(3, 3, *size)
    y = A(x)
    assert y.isfinite().all() and tuple(A.x_shape(y)) == tuple(x.shape)
    torch.testing.assert_close(A(x[1:2]), y[1:2], atol=1e-5, rtol=1e-5)
    assert A(x.double()).dtype == torch.float64


@pytest.mark.parametrize("name", [*SMOOTH, *AFFINE])
def test_gradients_are_right(name, mask_file):
    x = pixels(1, 3, 7, 5, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(operator_of(name, mask_file), x, fast_mode=True)


def test_gradients_are_finite(A):
    for value in (-1.5, -1.0, 0.0, 1.0, 1.5):
        x = torch.full((1, 3, 9, 11), value, requires_grad=True)
        (g,) = torch.autograd.grad(A(x).square().sum(), x)
        assert g.isfinite().all()


def test_rounding_passes_gradients_straight_through():
    x, v = (
        pixels(1, 3, 16, 24, dtype=torch.float64).requires_grad_(),
        torch.randn(1, 3, 16, 24, dtype=torch.float64),
    )
    for operator in (Quantise(), JPEG(10, subsampling=0)):
        torch.testing.assert_close(torch.autograd.grad(operator(x), x, v)[0], v)


def test_every_one_guides_gdp(A):
    x = pixels(1, 3, 16, 16)
    y = A(x)
    residual = {}
    for scale in (0.0, 1.0):
        restored = GDPx0(scale=scale, schedule=Schedule(steps=8))(GaussianPrior(std=0.5), A, y).x
        assert restored.isfinite().all()
        residual[scale] = (A(restored) - y).norm()
    assert residual[1.0] < 0.9 * residual[0.0]


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


@pytest.mark.parametrize("quality", [5, 30, 75, 95])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_projects(quality, subsampling):
    A = JPEG(quality, subsampling)
    x, y = pixels(2, 3, 32, 48), A(pixels(2, 3, 32, 48))
    p = A.project(x, y)
    torch.testing.assert_close(A(p), y, atol=1e-4, rtol=0)
    torch.testing.assert_close(A.project(p, y), p, atol=1e-5, rtol=0)


@pytest.mark.parametrize("subsampling, exact", [(0, (24, 40)), (2, (24, 31))])
def test_jpeg_projects_whole_blocks_of_odd_sizes(subsampling, exact):
    A = JPEG(10, subsampling)
    x, y = pixels(1, 3, 31, 41), A(pixels(1, 3, 31, 41))
    p = A.project(x, y)
    torch.testing.assert_close(A.project(p, y), p, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        A(p)[..., : exact[0], : exact[1]], y[..., : exact[0], : exact[1]], atol=1e-4, rtol=0
    )
    assert torch.equal(A.project(x, y)[..., 24:, 40:], p[..., 24:, 40:])


def test_jpeg_projection_is_the_nearest():
    A = JPEG(20, subsampling=0)
    x, z = pixels(1, 3, 16, 16), pixels(1, 3, 16, 16)
    p = A.project(x, A(z))
    distance = [
        sum((a - b).square().sum() for a, b in zip(A.planes(x), A.planes(q), strict=True))
        for q in (p, z)
    ]
    inner = sum(
        ((a - b) * (c - b)).sum()
        for a, b, c in zip(A.planes(x), A.planes(p), A.planes(z), strict=True)
    )
    assert distance[0] < distance[1]
    assert (
        inner <= 1e-2 * distance[0]
    )  # <x - p, z - p> <= 0 for every z of a convex cell, but for the hair inside its wall


@pytest.mark.parametrize("size", [(64, 64), (61, 43)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [5, 10, 30, 50, 75, 95])
def test_jpeg_is_pillows(quality, subsampling, size, tmp_path):
    photo = read(CAT).pixels[..., : size[0], : size[1]]
    (tmp_path / "photo.jpg").write_bytes(
        saved(photo, quality=quality, subsampling=subsampling).getvalue()
    )
    decoded = read(tmp_path / "photo.jpg").pixels
    A, from_file = JPEG(quality, subsampling), JPEG(tables=str(tmp_path / "photo.jpg"))
    assert torch.equal(A.steps, from_file.steps) and A.factors == from_file.factors
    assert 255 * (rounded(to_pixels(A(to_model(photo)))) - decoded).abs().mean() < 1.6
    moved = to_pixels(A.project(to_model(photo), to_model(decoded))) - photo
    assert (
        255 * moved.abs().mean() < 0.25
    )  # the photo lies in its file's cell, up to the file's rounding to 8 bits


def test_jpeg_of_a_grey_file(tmp_path):
    Image.fromarray(FOG).save(tmp_path / "grey.jpg", quality=30)
    y = JPEG(tables=str(tmp_path / "grey.jpg"))(pixels(1, 3, 9, 12))
    torch.testing.assert_close(y, y[:, :1].expand_as(y), atol=1e-4, rtol=0)


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


@pytest.mark.parametrize("oversample", [1, 2, 3])
@pytest.mark.parametrize("size", [(8, 6), (7, 5)])
def test_phase_retrieval(oversample, size):
    A, x = PhaseRetrieval(oversample), pixels(1, 3, *size, dtype=torch.float64)
    y = to_pixels(A(x))
    expected = np.abs(
        np.fft.fft2(to_pixels(x).numpy(), [oversample * n for n in size], norm="ortho")
    )
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-4)
    torch.testing.assert_close(y, to_pixels(A(x.rot90(2, (-2, -1)))))
    assert tuple(A.x_shape(y)) == tuple(x.shape)


def test_nonlinear_blur_blurs_light():
    identity, x = NonlinearBlur(torch.ones(1, 1)), pixels(1, 3, 9, 11, dtype=torch.float64)
    torch.testing.assert_close(identity(x), x)
    A = NonlinearBlur(kernels.gaussian(5, 1.0))
    torch.testing.assert_close(
        A(torch.full_like(x, 0.3)), torch.full_like(x, 0.3), atol=1e-5, rtol=0
    )
    lamp = torch.full_like(x, -0.9)
    lamp[..., 4, 5] = 1
    assert (
        A(lamp) >= blur(kernels.gaussian(5, 1.0), threshold=0.0)(lamp) - 1e-5
    ).all()  # light spreads further than picture values
    assert NonlinearBlur(kernels.gaussian(5, 1.0), exposure=50.0)(lamp).max() == 1


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
    t = torch.from_numpy(FOG / 255)
    torch.testing.assert_close(to_pixels(Haze(fog)(to_model(p))), p * t + 0.9 * (1 - t))
    torch.testing.assert_close(
        to_pixels(Mixing([[0.5, 0.25, 0]])(to_model(p)))[:, 0], 0.5 * p[:, 0] + 0.25 * p[:, 1]
    )


def broken(kind: str, folder) -> str:
    """A file that gives no tables, and why."""
    file, picture = folder / "broken.jpg", Image.new("RGB", (8, 8))
    if kind == "png":
        picture.save(file, "PNG")
    elif kind == "cmyk":
        picture.convert("CMYK").save(file)
    else:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(file, exif=exif)
    return str(file)


@pytest.mark.parametrize(
    "kind, match", [("png", "no JPEG"), ("cmyk", "unusual"), ("turned", "losslessly")]
)
def test_tables_of_other_files(kind, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        JPEG(tables=broken(kind, tmp_path))
    with pytest.raises(ValueError, match="cannot be read"):
        (tmp_path / "map.png").write_bytes(b"none")
        Haze(str(tmp_path / "map.png"))


@pytest.mark.parametrize("make", [lambda: JPEG(tables="none.jpg"), lambda: Haze("none.png")])
def test_missing_files(make):
    with pytest.raises(FileNotFoundError, match="operator"):
        make()


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: JPEG(0), "1 to 100"),
        (lambda: JPEG(50.5), "1 to 100"),
        (lambda: JPEG(50, 3), "4:2:0"),
        (lambda: Quantise(0), "bit depth"),
        (lambda: Quantise(2.5), "bit depth"),
        (lambda: tone.Clip(0), "gain.*above 0"),
        (lambda: tone.Gamma(float("nan")), "gamma.*above 0"),
        (lambda: tone.SensorResponse(n=-1), "n=-1.*above 0"),
        (lambda: Haze(1.5), "transmission"),
        (lambda: Haze(airlight=[0.9, 0.9]), "three numbers"),
        (lambda: Gains([1.0, 0.0, 1.0]), "above 0"),
        (lambda: Mixing([[1.0, 0.0]]), "rows of three"),
        (lambda: Mixing([]), "rows of three"),
        (lambda: Mixing([[0.0, 0.0, 0.0]]), "not all 0"),
        (lambda: PhaseRetrieval(1.5), "whole number"),
        (lambda: NonlinearBlur(torch.ones(3, 3), exposure=0), "exposure"),
        (lambda: NonlinearBlur(torch.ones(3, 3), border="zero"), "border"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
