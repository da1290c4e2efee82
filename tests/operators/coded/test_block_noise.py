"""JPEG's rounding as noise: the whitening's algebra, and how well it tells the true errors."""

import pytest
import torch

from operators.coded.block_noise import by_block, by_dct
from operators.coded.jpeg import JPEG
from tests.photos import astronaut

SIZES = [(64, 48), (37, 27), (7, 9)]


def whitening(quality=60, subsampling=2, sigma=0.05):
    return JPEG(quality, subsampling).double().block_whitening(sigma, torch.tensor(0.0))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_a_filter_is_a_function_of_singular_values(subsampling, size):
    W = whitening(subsampling=subsampling)
    x, z = torch.randn(2, 1, 3, *size, dtype=torch.float64)
    torch.testing.assert_close(W.filter(x, torch.ones_like), x)
    torch.testing.assert_close(W.filter(x, lambda d: d**2), W.transpose(W(x)))
    torch.testing.assert_close((W(x) * z).sum(), (x * W.transpose(z)).sum())
    torch.testing.assert_close(W(W.inverse(W(x))), W(x))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [(8, 8), (4, 8), (3, 5)])
def test_one_matrix_does_what_transforms_do(size, side):
    p, values = torch.randn(2, *size, dtype=torch.float64), torch.rand(*side, dtype=torch.float64)
    torch.testing.assert_close(by_block(p, values), by_dct(p, values))


def test_only_chroma_that_was_not_stored_is_unseen():
    x = torch.randn(1, 3, 16, 16, dtype=torch.float64)
    W = whitening(subsampling=0)
    torch.testing.assert_close(W.inverse(W(x)), x)

    # A chequered colour without luma averages out over 2 x 2 pixels.
    chequers = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1
    unseen = chequers.double() * W.colours[1].view(1, 3, 1, 1)
    assert whitening(subsampling=2)(unseen).abs().max() < 1e-6
    assert whitening(subsampling=0)(unseen).abs().max() > 0.01

    # By pixel all is seen; what lies between samples counts for as wrong as their finest.
    W = whitening(subsampling=2)
    torch.testing.assert_close(W.by_pixel().inverse(W.by_pixel()(x)), x)
    assert torch.equal(W.by_pixel().chroma[:, :5:4, 4], W.chroma[:, ::7, 7])
    same = whitening(subsampling=0)
    assert torch.equal(same.by_pixel()(x), same(x))


def test_errors_of_large_coefficients_become_white():
    A, sigma = JPEG(75, 0).double(), 0.05
    x = torch.rand(1, 3, 128, 128, dtype=torch.float64) * 8 - 4
    n = whitening(75, 0, sigma)(A(x) - x)
    assert abs(n.std() / sigma - 1) < 0.2

    # No frequency of a block stands out.
    power = A.coefficients(n[0]).square().mean((0, 1, 2))
    assert power.max() / power.min() < 3


@pytest.mark.parametrize("quality, subsampling", [(30, 2), (50, 0), (75, 2), (85, 0)])
def test_how_wrong_a_photo_is_can_be_told(quality, subsampling):
    A, x = JPEG(quality, subsampling), astronaut(192)
    y = A(x)
    true = float((y - x).square().mean().sqrt())
    assert 0.7 < A.error(y) / true < 1.4


def test_means_of_blocks_are_less_noisy():
    W = whitening(30, 2, 0.1)
    x = torch.randn(1, 3, 24, 24, dtype=torch.float64)
    small = W.at_scale(2)
    assert small.sigma == W.sigma / 2 and small.factors == (1, 1) and W.at_scale(1) is W
    assert W.at_scale(3).luma.shape == (2, 2) and W.at_scale(16).luma.shape == (1, 1)
    torch.testing.assert_close(small.inverse(small(x)), x)
