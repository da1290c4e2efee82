"""Scores keep to the conventions of their sets."""

import pytest
import torch

from benchmarks.reality.scores import linear, movement, scores, stops
from gdp.picture import to_image
from tests.photos import astronaut


def test_a_shifted_truth_is_found():
    wide = to_image(astronaut(128))[..., 64:, 64:]
    pixels, truth = wide[..., 4:56, 4:56], wide[..., 7:59, 2:54]
    assert scores(pixels, truth)["psnr"] < 30 < 90 < scores(pixels, truth, shift=8)["psnr"]


def test_a_result_of_another_size_is_refused():
    with pytest.raises(ValueError, match="32"):
        scores(torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="NaN"):
        scores(torch.full((1, 3, 32, 32), torch.nan), torch.zeros(1, 3, 32, 32))


def test_stops_do_not_depend_on_the_gain():
    light = linear(torch.linspace(0.1, 1, 32 * 32).view(1, 1, 32, 32).expand(1, 3, -1, -1))
    assert stops(5 * light, light) == pytest.approx(0, abs=1e-4)
    wrong = light.clone()
    wrong[..., 16:] *= 4
    assert stops(wrong, light) > 0.5


def test_movement():
    photo = to_image(astronaut(128))
    assert movement(photo, photo) == {"moved": pytest.approx(100), "gradients": 1}
    flat = movement(photo.mean().expand_as(photo), photo)
    assert flat["moved"] < 20 and flat["gradients"] == 0
    assert movement(photo[..., :16], photo) == {}
