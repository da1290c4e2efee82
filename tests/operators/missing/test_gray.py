"""Grey: weights add up to 1."""

import pytest
import torch

from operators.missing.gray import Gray


def test_weights():
    A, x = Gray([0.5, 0.3, 0.2]), torch.rand(1, 3, 4, 5)
    torch.testing.assert_close(A(x)[:, 0], 0.5 * x[:, 0] + 0.3 * x[:, 1] + 0.2 * x[:, 2])


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Gray([1.0, 1.0, 1.0]), "add up"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
