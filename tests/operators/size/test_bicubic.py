"""Bicubic downsampling: rows of Keys' cubic."""

import pytest
import torch

from operators.size.bicubic import Bicubic


@pytest.mark.parametrize("r", [1, 2, 3, 5])
def test_bicubic_matrix(r):
    A = Bicubic(r).matrix(12 * r)
    torch.testing.assert_close(A.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(A.flip(0, 1), A)
    assert Bicubic(r).matrix(r).shape == (1, r)


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Bicubic(2.5), "factor"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
