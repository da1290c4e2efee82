"""Other ways of shrinking: what they refuse, and the pixels that they keep."""

import pytest
import torch

from operators.size.resize import GaussianDown, Resize, Subsample


def test_subsampling_keeps_every_rth_pixel():
    y = Subsample(2, offset=1)(torch.arange(16.0).view(1, 1, 4, 4))
    assert torch.equal(y, torch.tensor([[5.0, 7.0], [13.0, 15.0]])[None, None])


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Resize(2, "cubic"), "bicubic, bilinear or area"),
        (lambda: GaussianDown(2, 0), "above 0 pixels"),
        (lambda: Subsample(2, 2), "0..1"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
