"""Measurements of any shape and type as samplers see them: adjoint, inverse and proximal map of
what wraps the operator, against dense matrices.
"""

import pytest
import torch
from torch import nn

from operators.base import AffineOperator, LinearOperator, Operator, SpectralOperator
from operators.gain import least_squares, spreads
from operators.measured import Measured, MeasuredAffine, MeasuredSpectral, measured


class Coded(LinearOperator):
    """A random matrix, complex or not, on x [B, C, 3, 4]."""

    def __init__(self, C: int, n: int = 30, imaginary: bool = True):
        super().__init__()
        self.C = C
        M = torch.randn(n, C * 12, dtype=torch.cfloat if imaginary else torch.float)
        self.register_buffer("M", 7 * M)

    def forward(self, x):
        return x.flatten(1).to(self.M.dtype) @ self.M.T

    def x_shape(self, y):
        return len(y), self.C, 3, 4


class Sum(SpectralOperator):
    """y [B, H, W] = g x of one channel: singular value g."""

    def __init__(self, g=5.0):
        super().__init__()
        self.g = g

    def forward(self, x):
        return self.g * x[:, 0]

    def x_shape(self, y):
        return len(y), 1, *y.shape[1:]

    def pinv(self, y):
        return y[:, None] / self.g

    def spectral(self, x, f):
        return f(torch.tensor(self.g)) * x


def matrix(A, shape):
    """A as a matrix of its flat x."""
    columns = [A(e.view(1, *shape)).flatten() for e in torch.eye(torch.Size(shape).numel())]
    return torch.stack(columns, 1)


@pytest.mark.parametrize("imaginary", [False, True])
@pytest.mark.parametrize("C", [1, 2, 3, 5])
def test_against_matrices(C, imaginary):
    A = Coded(C, imaginary=imaginary).with_noise(0.5)
    given = A(torch.randn(2, C, 3, 4))
    W, y = measured(A, given)
    assert y.shape == (2, 1, 1, 30 * (1 + imaginary)) and not y.is_complex()
    assert (W.given(y) - given).abs().max() < 1e-4 and W.sigma_y == pytest.approx(0.5 / W.scale)
    assert W.unit == pytest.approx(0.5 * W.scale)

    shape = W.x_shape(y)[1:]
    assert shape == (max(3, C), 3, 4)
    M = matrix(W, shape)
    assert 0.5 < torch.linalg.matrix_norm(M, 2) < 1.5
    z = torch.randn(2, *shape)
    assert (W(z).flatten(1) - z.flatten(1) @ M.T).abs().max() < 1e-5
    assert (W.adjoint(y).flatten(1) - y.flatten(1) @ M).abs().max() < 1e-5
    inverse = y.flatten(1) @ torch.linalg.pinv(M).T
    assert (W(W.pinv(y)).flatten(1) - inverse @ M.T).abs().max() < 1e-2

    rho, eye = 0.3, torch.eye(M.shape[1])
    right = y.flatten(1) @ M + rho * z.flatten(1)
    prox = torch.linalg.solve(M.T @ M + rho * eye, right.T).T
    assert (W.prox(z, y, rho).flatten(1) - prox).abs().max() < 0.03 * prox.abs().max()


def test_noise_outside_of_the_range_does_no_harm():
    """Four times as many numbers as unknowns, with noise: least squares all the same."""
    A = Coded(1, 48, imaginary=True)
    x = torch.randn(1, 1, 3, 4)
    W, y = measured(A, A(x) + 0.01 * torch.randn(1, 48, dtype=torch.cfloat))
    assert (W.picture(W.pinv(y)) - x).abs().max() < 0.01
    assert (W.picture(least_squares(W, y)) - x).abs().max() < 0.05


def test_closed_forms_carry_over():
    A = Sum().with_noise(0.1)
    W, y = measured(A, A(torch.randn(1, 1, 8, 8)))
    assert isinstance(W, MeasuredSpectral) and W.scale == pytest.approx(5, rel=1e-3)
    z = torch.randn(1, 3, 8, 8)
    assert (W.spectral(z, torch.ones_like) - z).abs().max() < 1e-5
    squared = W.spectral(z, lambda s: s**2)
    assert (squared - W.adjoint(W(z))).abs().max() < 1e-5
    v, rho = torch.randn(1, 3, 8, 8), 0.2
    best = W.prox(v, y, rho).requires_grad_()
    cost = (W(best) - y).square().sum() + rho * (best - v).square().sum()
    assert torch.autograd.grad(cost, best)[0].abs().max() < 1e-4


class Offset(AffineOperator):
    def forward(self, x):
        return (3 * x + 2).mean(1)

    def x_shape(self, y):
        return len(y), 1, *y.shape[1:]


def test_affine():
    W, y = measured(Offset(), Offset()(torch.zeros(1, 1, 6, 6)))
    assert isinstance(W, MeasuredAffine) and W.scale == pytest.approx(3, rel=1e-3)
    assert (W.offset(y) - y).abs().max() < 1e-6
    z = torch.randn(1, 3, 6, 6)
    assert (W.linear()(z) - (W(z) - y)).abs().max() < 1e-5


class Gain(Operator):
    """Blind: y = g x, g found along with x."""

    def forward(self, x):
        return self.g * x[:, 0] if hasattr(self, "g") else x[:, 0]

    def x_shape(self, y):
        return len(y), 1, *y.shape[1:]

    def bind(self, y, init=None):
        bound = self.with_noise(self.sigma_y)
        bound.g = nn.Parameter(torch.ones(()) if init is None else init.g.detach().clone())
        return bound

    def fit(self, x0, y, sigma):
        self.g.data = (y * x0[:, 0]).sum() / x0.square().sum()


def test_blind():
    given = 4 * torch.rand(1, 8, 8)
    W, y = measured(Gain(), given)
    bound = W.bind(y)
    assert isinstance(bound, Measured) and W.blind and not list(W.parameters())
    bound.fit((given[:, None] / 4).expand(-1, 3, -1, -1), y, 0.0)
    gains = [float(A.A.g.detach()) for A in (bound, bound.bind(y, bound))]
    assert gains == pytest.approx([4, 4])


class Fourier(LinearOperator):
    def forward(self, x):
        keep = torch.rand(32, 32, generator=torch.Generator().manual_seed(3)) < 0.4
        return torch.fft.fft2(x, norm="ortho") * keep

    def x_shape(self, y):
        return tuple(y.shape)


def test_what_spreads_is_seen():
    y = torch.zeros(1, 1, 32, 32, dtype=torch.cfloat)
    assert spreads(Fourier(), y) and not spreads(Sum(), torch.zeros(1, 32, 32))
