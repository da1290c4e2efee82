"""Cosine transforms are scipy's, at any length; indices are reflected as often as it takes."""

import numpy as np
import scipy.fft
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.tools.transforms import dct2, idct2, reflect_index


@given(st.integers(1, 17), st.integers(1, 17))
@settings(max_examples=30, deadline=None)
def test_dct_is_scipys(h, w):
    x = torch.randn(2, h, w, dtype=torch.float64)
    np.testing.assert_allclose(
        dct2(x).numpy(), scipy.fft.dctn(x.numpy(), axes=(-2, -1), norm="ortho"), atol=1e-12
    )
    torch.testing.assert_close(idct2(dct2(x)), x)


def test_indices_are_reflected():
    assert reflect_index(torch.arange(-5, 8), 3).tolist() == [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]
