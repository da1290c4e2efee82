"""at_scale: at 1 / r of the picture's size an operator is the same degradation, seen from afar."""

import pytest
import torch
import torch.nn.functional as F

from operators.base import LinearOperator, Operator, SpectralOperator
from operators.blur import blur
from operators.blur.kernels import gaussian, motion
from operators.coded.jpeg import JPEG
from operators.coded.sensing import WalshHadamard
from operators.compose import ClosedCompose, Compose
from operators.missing.gray import Gray
from operators.missing.mask import Mask, RandomMask
from operators.missing.mosaic import Mosaic
from operators.missing.oldphoto import old_photo
from operators.scale import shrink
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from tests.conftest import OPERATORS, operator_of

# No meaning at a smaller scale
WITHOUT = {
    "block_sensing",
    "compose",
    "deepinv",
    "fourier",
    "jpeg",
    "jpeg_own",
    "phase",
    "quantise",
    "walsh_hadamard",
}


def smooth(shape, phase=0.0):
    """A picture of a few slow waves, inside the range of pixels."""
    rows, columns = (torch.linspace(0, 1, n) for n in shape[-2:])
    waves = [
        0.5 * torch.cos(3 * rows[:, None] + k + phase) * torch.sin(4 * columns + k) - 0.2
        for k in range(shape[1])
    ]
    return torch.stack(waves)[None]


def coarse(A, r, x):
    """A at 1 / r of x's scale, y there, and x there."""
    small, y = A.at_scale(r, A(x))
    return small, y, F.adaptive_avg_pool2d(x, small.x_shape(y)[-2:])


@pytest.mark.parametrize("name", OPERATORS)
def test_offered_where_it_has_a_meaning(name, mask_file):
    A = operator_of(name, mask_file)
    assert hasattr(A, "at_scale") == A.offers("at_scale") == (name not in WITHOUT)


def test_base_classes_have_none():
    assert not any(
        hasattr(tier, "at_scale") for tier in (Operator, LinearOperator, SpectralOperator)
    )


@pytest.mark.parametrize("r", [1, 2, 4])
@pytest.mark.parametrize("name", [n for n in OPERATORS if n not in WITHOUT])
def test_consistent(name, r, mask_file):
    A = operator_of(name, mask_file)
    A.sigma_y = 0.1
    x = smooth((1, 3, 96, 128))
    small, y, x_small = coarse(A, r, x)
    if r > 1:
        assert x_small.shape[-1] < 0.6 * x.shape[-1] or name == "outpaint"
    assert (small(x_small) - y).abs().max() < 0.12
    assert (small(x_small) - y).square().mean().sqrt() < 0.06 * y.square().mean().sqrt()
    assert 0 < small.sigma_y <= 0.1 and A.sigma_y == 0.1


@pytest.mark.parametrize("r", [2, 4])
@pytest.mark.parametrize("name", [n for n in OPERATORS if n not in WITHOUT])
def test_same_brightness(name, r, mask_file):
    A = operator_of(name, mask_file)
    small, y, x_small = coarse(A, r, torch.full((1, 3, 64, 96), 0.3))
    torch.testing.assert_close(small(x_small), y, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(31, 41), (1, 2), (5, 64)])
def test_any_size(size):
    for A in (Gray(), RandomMask(0.5), blur(motion(7, 30.0)), Mosaic()):
        small, y = A.at_scale(3, A(torch.rand(1, 3, *size)))
        assert small(torch.zeros(small.x_shape(y))).shape == y.shape and y.isfinite().all()


def test_what_is_left_of_super_resolution():
    y = torch.rand(1, 3, 8, 8)
    assert AvgPool(4).at_scale(2, y)[0].r == 2 and AvgPool(4).at_scale(4, y)[0].r == 1
    small, y_small = Bicubic(4).at_scale(8, y)
    assert small.r == 1 and y_small.shape == (1, 3, 4, 4)
    with pytest.raises(ValueError, match="divisor"):
        AvgPool(4).at_scale(3, y)


def test_noise_follows_the_mean():
    A, n = Mask(torch.ones(1, 1, 1, 1)), torch.randn(1, 3, 400, 400)
    A.sigma_y = 1.0
    small, y = A.at_scale(4, n)
    assert small.sigma_y == pytest.approx(0.25) and float(y.std()) == pytest.approx(0.25, rel=0.05)
    A = RandomMask(0.5, seed=5)
    A.sigma_y = 1.0
    small, y = A.at_scale(4, A(n))
    assert float(y[small(torch.ones_like(y)) > 0].std()) <= small.sigma_y <= 0.36
    A = Compose([Gray(), AvgPool(2)])
    A.sigma_y = 1.0
    assert A.at_scale(2, A(n))[0].sigma_y == 1.0 and A.at_scale(4, A(n))[0].sigma_y == 0.5


def test_masks_shrink_to_what_is_known():
    mask = torch.ones(1, 1, 8, 8)
    mask[..., :4] = 0
    mask[..., 0, 4:8] = 0
    y = mask * smooth((1, 3, 8, 8))
    small, y_small = Mask(mask).at_scale(4, y)
    torch.testing.assert_close(
        small.mask, torch.tensor([[0.0, 1.0], [0.0, 1.0]]).expand(1, 3, 2, 2)
    )
    torch.testing.assert_close(y_small[..., 0, 1], y[..., 1:4, 4:].mean((-2, -1)))


def test_borders_of_blurs():
    for border in ("circular", "valid", "replicate"):
        A = blur(motion(9, 20.0), border)
        small, y, x_small = coarse(A, 2, smooth((1, 3, 64, 80)))
        inside = (slice(None), slice(None), slice(6, -6), slice(6, -6))
        assert (small(x_small) - y)[inside].abs().max() < 0.05


def test_compositions():
    x = smooth((1, 3, 64, 96))
    for ops in (
        [AvgPool(2), Gray(), RandomMask(0.3)],
        [blur(gaussian(5, 1.0)), AvgPool(4)],
        [Gray(), AvgPool(2)],
    ):
        for r in (2, 4):
            small, y, x_small = coarse(Compose(ops), r, x)
            assert (small(x_small) - y).abs().max() < 0.1
    assert isinstance(
        old_photo(torch.ones(1, 1, 1, 1), 2).at_scale(2, torch.rand(1, 1, 8, 8))[0], ClosedCompose
    )
    assert not hasattr(Compose([Gray(), WalshHadamard()]), "at_scale") and not hasattr(
        JPEG(), "at_scale"
    )


def test_shrunk_is_the_mean():
    y = torch.rand(1, 2, 12, 18)
    torch.testing.assert_close(shrink(y, 3), F.avg_pool2d(y, 3))
    assert shrink(y, 100).shape == (1, 2, 1, 1)
