"""Block means."""

import pytest
import torch

from operators.size.avgpool import AvgPool


def test_means_of_blocks():
    y = AvgPool(2)(torch.arange(16.0).view(1, 1, 4, 4))
    assert torch.equal(y, torch.tensor([[2.5, 4.5], [10.5, 12.5]])[None, None])


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: AvgPool(0), "factor"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
