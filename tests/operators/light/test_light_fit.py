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


def test_noise_that_is_cut_at_black_does_not_lower_f():
    # A picture that was made of y's own noise, and cut: brighter than the scene, as is its mean.
    f, sigma, x = 0.05, 0.015, 0.4 * photo()
    noise = sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    y, cut = to_model(f * x + noise), to_model((x + noise / f).clamp(0, 1))

    def found(told: float) -> float:
        A = Light(mask=False).with_noise(2 * told).bind(y)
        A.first = torch.full_like(A.first, f)
        A.fit(cut, y, 0.01)
        return float(A.f.mean()) / f

    assert found(0.0) < 0.85 and 0.95 < found(sigma) < 1.02
