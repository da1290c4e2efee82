"""Contracts of every operator YAML, and what is particular to single ones."""

import math

import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.base import AffineOperator, LinearOperator, ProjectionOperator, SpectralOperator
from operators.blur import Blur, CircularBlur, ReflectBlur, blur, kernels
from operators.coded.sensing import WalshHadamard
from operators.compose import Compose
from operators.light.light import Light
from operators.missing.gray import Gray
from operators.missing.mask import BoxMask, Mask, RandomMask
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from operators.tools.solve import cg
from operators.tools.transforms import dct2, idct2
from tests.conftest import OPERATORS, operator_of

ITERATIVE = (
    "blind_blur",
    "blur_motion",
    "blur_anisotropic",
    "blur_shake",
    "blur_varying",
    "deepinv",
)  # A^+ is regularised, not exact


def image_for(op, B=2, dtype=torch.float32):
    """x whose y is 31 x 41, odd on purpose, or as near to that as the operator takes."""
    sides = op.x_shape(torch.empty(1, 3, 31, 41))[-2:]
    return torch.randn(B, 3, *(-(-n // op.divisor) * op.divisor for n in sides), dtype=dtype)


def dot(p, q):
    return float((p.double() * q.double()).sum())


@pytest.fixture(params=OPERATORS)
def op(request, mask_file):
    made = operator_of(request.param, mask_file)
    made.yaml = request.param
    return made


@pytest.fixture
def linear(op):
    """The operator, or the linear part of an affine one."""
    if isinstance(op, AffineOperator):
        part = op.linear()
        part.yaml = op.yaml
        return part
    if not isinstance(op, LinearOperator):
        pytest.skip(f"{op.yaml} is not linear")
    return op


def test_shapes_and_batch(op):
    x = image_for(op)
    y = op(x)
    assert tuple(op.x_shape(y)) == tuple(x.shape)
    torch.testing.assert_close(op(x[1:]), y[1:])
    assert op.bind(y)(x).shape == y.shape
    assert op.observe(torch.rand(1, 3, 32, 32)).shape[0] == 1


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_adjoint(linear, dtype, tolerance):
    x = image_for(linear, dtype=dtype)
    v = linear(x) + torch.randn_like(linear(x))
    assert linear(x).dtype == dtype
    forward, back = dot(linear(x), v), dot(x, linear.adjoint(v))
    assert abs(forward - back) <= tolerance * abs(forward)
    torch.testing.assert_close(
        linear.adjoint(v), LinearOperator.adjoint(linear, v), rtol=1e-4, atol=1e-5
    )


def test_linearity(linear):
    x, z = image_for(linear), image_for(linear)
    torch.testing.assert_close(linear(2 * x - z), 2 * linear(x) - linear(z), rtol=1e-4, atol=1e-4)


def test_pinv(linear):
    x = image_for(linear)
    y = linear(x)
    tolerance = 4e-2 if linear.yaml in ITERATIVE else 1e-5
    assert (linear(linear.pinv(y)) - y).norm() <= tolerance * y.norm()
    if linear.yaml not in ITERATIVE:
        v = torch.randn_like(y)
        p = linear.pinv(v)
        assert (linear.pinv(linear(p)) - p).norm() <= 1e-4 * p.norm()


def test_spectral(linear):
    if not isinstance(linear, SpectralOperator):
        pytest.skip(f"{linear.yaml} has no closed-form SVD")
    x = image_for(linear, dtype=torch.float64)
    torch.testing.assert_close(linear.spectral(x, torch.ones_like), x)
    torch.testing.assert_close(linear.spectral(x, lambda s: s**2), linear.adjoint(linear(x)))
    if isinstance(linear, ProjectionOperator):
        torch.testing.assert_close(linear(linear.adjoint(linear(x))), linear.s**2 * linear(x))


def test_prox_is_the_minimiser(linear):
    x, rho = image_for(linear, dtype=torch.float64), 0.3
    y, v = linear(x) + 0.1 * torch.randn_like(linear(x)), torch.randn_like(x)
    p = linear.prox(v, y, rho)
    gradient = linear.adjoint(linear(p) - y) + rho * (p - v)
    assert gradient.norm() <= 1e-4 * p.norm()


def test_differentiable(linear):
    x = image_for(linear, 1, torch.float64).requires_grad_()
    (g,) = torch.autograd.grad(linear(x).square().sum() / 2, x)
    torch.testing.assert_close(g, linear.adjoint(linear(x)).detach())


def test_affine_is_linear_plus_its_offset(op):
    if isinstance(op, AffineOperator):
        x = image_for(op)
        y = op(x)
        seen = (
            y < 1 if isinstance(op, Light) else torch.ones_like(y, dtype=torch.bool)
        )  # light is cut at white
        torch.testing.assert_close(
            y[seen], (op.linear()(x) + op.offset(y))[seen], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("r", [1, 2, 3, 5])
def test_bicubic_matrix(r):
    A = Bicubic(r).matrix(12 * r)
    torch.testing.assert_close(A.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(A.flip(0, 1), A)
    assert Bicubic(r).matrix(r).shape == (1, r)


@given(h=st.integers(1, 20), w=st.integers(1, 20), kh=st.integers(1, 4), kw=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_blur_is_scipys(h, w, kh, kw):
    rng = np.random.default_rng(h + 100 * w)
    k = torch.from_numpy(rng.random((2 * kh - 1, 2 * kw - 1)))
    x = torch.from_numpy(rng.standard_normal((1, 2, h, w)))
    for symmetric in (False, True):
        k2 = k + k.flip(0) + k.flip(1) + k.flip(0, 1) if symmetric else k
        normal = kernels.normalise(k2)
        for border, mode in (("reflect", "reflect"), ("circular", "wrap")):
            A = blur(k2, border, threshold=0.0)
            expected = np.stack(
                [
                    scipy.ndimage.convolve(c, normal.double().numpy(), mode=mode)
                    for c in x[0].numpy()
                ]
            )
            np.testing.assert_allclose(A(x)[0].numpy(), expected, atol=1e-6)


def test_blur_picks_the_closed_form():
    g, lopsided = kernels.gaussian(7, 1.5), torch.rand(5, 5)
    assert isinstance(blur(g), ReflectBlur)
    assert isinstance(blur(lopsided, "circular"), CircularBlur)
    assert isinstance(blur(lopsided), Blur)
    with pytest.raises(ValueError, match="border"):
        blur(g, "zero")


@pytest.mark.parametrize(
    "A",
    [blur(kernels.gaussian()), blur(kernels.motion()), blur(torch.rand(5, 5), "circular")],
    ids=repr,
)
def test_blur_keeps_brightness_and_support(A):
    ones = torch.ones(1, 1, 40, 40, dtype=torch.float64)
    torch.testing.assert_close(A(ones), ones, rtol=1e-5, atol=1e-5)
    impulse = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    impulse[..., 20, 20] = 1
    kh, kw = (k // 2 for k in A.kernel.shape)
    inside = A(impulse)[0, 0, 20 - kh : 21 + kh, 20 - kw : 21 + kw]
    torch.testing.assert_close(inside, A.kernel.double(), atol=1e-4, rtol=0)


@given(st.integers(1, 17), st.integers(1, 17))
@settings(max_examples=30, deadline=None)
def test_dct_is_scipys(h, w):
    x = torch.randn(2, h, w, dtype=torch.float64)
    np.testing.assert_allclose(
        dct2(x).numpy(), scipy.fft.dctn(x.numpy(), axes=(-2, -1), norm="ortho"), atol=1e-12
    )
    torch.testing.assert_close(idct2(dct2(x)), x)


def test_cg_solves_each_image_alone():
    M = torch.randn(12, 12, dtype=torch.float64)
    M = M @ M.T + torch.eye(12)
    b = torch.stack([torch.randn(12), 1e6 * torch.randn(12), torch.zeros(12)]).double()
    u = cg(lambda p: p @ M, b, max_iter=50, tol=1e-10)
    torch.testing.assert_close(u, torch.linalg.solve(M, b.T).T, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(
        cg(lambda p: p @ M, b[:1], max_iter=50, tol=1e-10), u[:1], rtol=1e-9, atol=1e-12
    )


def test_composition_has_a_true_pseudo_inverse():
    A = Compose([RandomMask(0.2), Gray(), AvgPool(2)])
    y = A(torch.randn(1, 3, 16, 16, dtype=torch.float64))
    assert (A(A.pinv(y)) - y).norm() <= 1e-4 * y.norm()
    assert A.divisor == 2
    with pytest.raises(TypeError, match="linear"):
        Compose([torch.nn.Identity()])


def test_masks():
    x = torch.ones(1, 3, 200, 300)
    assert abs(float(RandomMask(0.3)(x).mean()) - 0.7) < 0.01
    torch.testing.assert_close(RandomMask(0.3, seed=1)(x), RandomMask(0.3, seed=1)(x))
    assert not torch.equal(RandomMask(0.3, seed=1)(x), RandomMask(0.3, seed=2)(x))
    box = BoxMask(0.25, 0.5, 0.5, 0.5)(x)
    assert float(1 - box.mean()) == pytest.approx(0.25, abs=0.01)
    assert float(box[..., 100, 225].sum()) == 0
    small = torch.ones(1, 1, 2, 3)
    small[..., 0, 0] = 0
    assert float(Mask(small)(x)[..., :100, :100].sum()) == 0
    assert float(Mask(small)(x).mean()) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: AvgPool(0), "factor"),
        (lambda: Bicubic(2.5), "factor"),
        (lambda: RandomMask(1.0), "rate"),
        (lambda: RandomMask(math.nan), "rate"),
        (lambda: BoxMask(0, 0, 1, 1), "box"),
        (lambda: BoxMask(0.7, 0, 0.5, 0.5), "box"),
        (lambda: Mask(torch.rand(1, 1, 4, 4)), "ones"),
        (lambda: Gray([1.0, 1.0, 1.0]), "add up"),
        (lambda: kernels.gaussian(8), "odd"),
        (lambda: kernels.gaussian(9, 0), "width"),
        (lambda: kernels.normalise(torch.tensor([[1.0, math.nan]])), "NaN"),
        (lambda: kernels.normalise(torch.tensor([[1.0, -1.0]])), "zero"),
        (lambda: kernels.normalise(torch.ones(3)), "2-D"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_kernel_files(tmp_path):
    k = np.arange(12.0).reshape(3, 4)
    np.save(tmp_path / "k.npy", k)
    torch.testing.assert_close(
        kernels.from_file(tmp_path / "k.npy")[:, :4], torch.from_numpy(k / k.sum()).float()
    )
    assert kernels.from_file(tmp_path / "k.npy").shape == (3, 5)
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="kernel"):
        kernels.from_file(tmp_path / "o.npy")
    with pytest.raises(FileNotFoundError):
        kernels.from_file(tmp_path / "none.png")


@pytest.mark.parametrize("border", ["reflect", "replicate", "valid"])
@pytest.mark.parametrize(
    "kernel",
    [kernels.motion(), kernels.anisotropic(), kernels.shake()],
    ids=["motion", "anisotropic", "shake"],
)
def test_regularised_blurs_agree_with_a_photo(kernel, border):
    A = Blur(kernel, border)
    photo = skimage.data.chelsea()[20:148, 100:228]
    y = A(torch.from_numpy(photo / 127.5 - 1).permute(2, 0, 1)[None].float())
    assert A.iterations <= 30 and (A(A.pinv(y)) - y).norm() <= 1e-3 * y.norm()


@pytest.mark.parametrize("size", [(8, 8), (5, 7)])
def test_walsh_hadamard_sees_the_brightness(size):
    for seed in range(5):
        A = WalshHadamard(ratio=0.2, seed=seed)
        grey = torch.full((1, 3, *size), 0.3)
        torch.testing.assert_close(A.pinv(A(grey)), grey, atol=1e-5, rtol=0)
        assert int(A.seen(grey).sum()) == round(0.2 * size[0] * size[1])
