"""Small pictures of the web."""

import torch

from operators.coded.chain import LinearThenJPEG
from operators.coded.compressed import Compressed
from operators.small_photo import SmallPhoto
from tests.photos import astronaut


def test_a_simulated_one_tells_its_compression_alone():
    x = astronaut(128)
    y, A = SmallPhoto(r=2, sigma=0.8, quality=60).degrade(x, lambda y: y)
    assert y.shape == (1, 3, 64, 64) and isinstance(A, LinearThenJPEG)
    B = A.for_photo(y, 0.0)
    assert isinstance(B, Compressed) and B.x_shape(y) == tuple(x.shape)


def test_noise_is_shrunk_by_nothing():
    """It joins in after the shrinking."""
    noise = torch.randn(1, 3, 32, 32)
    _, A = SmallPhoto(r=4).degrade(torch.zeros(1, 3, 128, 128), lambda y: y + noise)
    assert abs(A.noise_gain - 1) < 0.05
