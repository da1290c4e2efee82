"""Phase retrieval: what the detector sees."""

import numpy as np
import pytest
import torch

from operators.coded.phase import PhaseRetrieval
from operators.tools.units import to_pixels
from tests.operators.pictures import pixels
from tests.photos import astronaut


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


def test_the_phase_is_found_up_to_a_turn():
    A, x = PhaseRetrieval(), astronaut(32)
    y = A(x)
    guess = A.guess(y)
    assert (A.likest(guess, x) - x).square().mean().sqrt() < 0.02
    torch.testing.assert_close(A(guess), y, atol=0.05, rtol=0.01)
    turned = x.rot90(2, (-2, -1))
    assert torch.equal(A.likest(turned, x), x) and torch.equal(A.likest(x, x), x)


def test_the_proximal_step_lowers_its_objective():
    A, x, rho = PhaseRetrieval(), astronaut(16), 0.1
    y, v = A(x) + 0.05 * torch.randn(1, 3, 32, 32), x + 0.1 * torch.randn(1, 3, 16, 16)

    def cost(x):
        return float((A(x) - y).square().sum() + rho * (x - v).square().sum())

    there = A.prox(v, y, rho)
    assert cost(there) < 0.7 * cost(v)
    assert all(cost(there + 1e-2 * torch.randn_like(x)) > cost(there) for _ in range(3))


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: PhaseRetrieval(1.5), "whole number"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
