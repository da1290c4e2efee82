"""How strong the light was: found whatever the photo's size and noise, and near 1 in daylight."""

import pytest
import torch

from operators.light.brightness import DARK
from operators.light.exposure import find_exposure
from tests.operators.light.photos import photo


@pytest.mark.parametrize("f", [0.05, 0.1, 0.3])
def test_factor_of_dark_photos(f):
    errors = []
    for name in ("astronaut", "chelsea", "coffee"):
        light = find_exposure(f * photo(name) + 0.015 * torch.randn(1, 3, 96, 96), 1, 0.015, DARK)
        errors.append(abs(float(light.factors) / f - 1))
        assert light.white >= 1
    assert sorted(errors)[1] < 0.1 and max(errors) < 0.3


def test_factor_knows_no_size():
    for noise in (0, 0.015):
        dark = [0.1 * photo(size=n) for n in (256, 384, 512)]
        found = [
            float(find_exposure(y + noise * torch.randn_like(y), 1, noise).factors) for y in dark
        ]
        assert max(found) / min(found) < 1.02


def test_a_good_photo_is_left_alone():
    for name in ("astronaut", "chelsea", "coffee"):
        light = find_exposure(photo(name), 1)
        assert 0.7 < float(light.factors) < 1.1 and float(light.white) < 1.4
