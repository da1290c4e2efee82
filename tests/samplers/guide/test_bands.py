"""Pictures in parts from fine to coarse."""

import pytest
import torch

from gdp.prior.noise import Noise
from samplers.guide.bands import WIDTHS, bands


@pytest.mark.parametrize("size", [(64, 48), (33, 40), (3, 5)])
def test_the_parts_add_up(size):
    z = Noise([0, 1]).like(torch.empty(2, 3, *size))
    parts = bands(z)
    assert len(parts) == 1 + sum(2 * w <= min(size) for w in WIDTHS)
    torch.testing.assert_close(sum(parts), z)
    assert bands(z, ())[0] is z


def test_light_is_coarse_and_noise_is_fine():
    *fine, rest = bands(torch.full((1, 3, 64, 64), 0.3))
    assert all(part.abs().max() < 1e-6 for part in fine) and rest.mean() == pytest.approx(0.3)
    stds = [float(part.std()) for part in bands(Noise([0]).like(torch.empty(1, 3, 64, 64)))]
    assert 0.8 < stds[0] < 1 and stds == sorted(stds, reverse=True) and stds[-1] < 0.1
