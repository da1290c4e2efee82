"""Outpainting: margins, and where y is known."""

import pytest
import torch

from operators.size.crop import Crop


def test_margins():
    A, x = Crop([1, 2, 3, 4]), torch.rand(1, 3, 13, 17)
    y = A(x)
    assert torch.equal(y, x[..., 1:-2, 3:-4]) and A.frame == (3, 4, 1, 2)
    assert A.x_shape(y) == tuple(x.shape)
    assert torch.equal(A.known(y).expand_as(x), A.adjoint(torch.ones_like(y)) == 1)


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Crop(0), "pixels to add"),
        (lambda: Crop(True), "pixels to add"),
        (lambda: Crop([1, 2, 3]), "pixels to add"),
        (lambda: Crop([-1, 2, 3, 4]), "pixels to add"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
