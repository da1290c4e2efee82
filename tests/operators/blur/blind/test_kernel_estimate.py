"""A found kernel lies in the middle, and pictures are compared wherever they lie."""

import torch

from benchmarks.measures.blind_blur import aligned_psnr, shifted
from operators.blur.kernel_shape import centre
from tests.operators.blur.photos import photo


def test_centred_and_aligned():
    k = torch.zeros(9, 9)
    k[1, 2] = 1.0
    assert centre(k)[4, 4] == 1
    x = (photo(64) + 1) / 2
    assert aligned_psnr(shifted(x, (1.25, -0.5)), x, 4) > 45
