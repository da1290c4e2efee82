"""Phase retrieval: what the detector sees."""

import numpy as np
import pytest
import torch

from operators.coded.phase import PhaseRetrieval
from operators.tools.units import to_pixels
from tests.operators.pictures import pixels


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


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: PhaseRetrieval(1.5), "whole number"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
