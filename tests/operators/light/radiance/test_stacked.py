"""Several exposures of a scene are least squares, value by value."""

import torch

from operators.light.radiance.stacked import Stacked


def test_stacked_is_least_squares():
    w = torch.rand(1, 6, 8, 8)
    A, x = Stacked(w, 2), torch.randn(1, 3, 8, 8)
    torch.testing.assert_close(A.pinv(A(x)), x, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(A.spectral(x, lambda s: s**2), A.adjoint(A(x)))
    y = torch.randn(1, 6, 8, 8)
    assert torch.allclose((A(x) * y).sum(), (x * A.adjoint(y)).sum(), rtol=1e-4)
