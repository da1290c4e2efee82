"""f and M by least squares."""

import pytest
import torch

from gdp.picture import to_model
from operators.light import Light
from tests.operators.light.photos import photo, smooth_map


@pytest.mark.parametrize("f", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("per_channel", [False, True])
def test_fit_given_the_truth(f, per_channel):
    x, M = photo(), 0.3 * f * smooth_map(96)
    y = to_model(f * x + M)
    A = Light(per_channel=per_channel).bind(y)
    A.fit(to_model(x), y, 0.0)
    assert (A.f / f - 1).abs().max() < 0.02
    assert torch.corrcoef(torch.stack([A.map(x)[0, 0].flatten(), M.flatten()]))[0, 1] > 0.9
