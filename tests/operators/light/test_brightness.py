"""How bright a photo should be, by its median and its white."""

import math

import pytest
import torch

from gdp.picture import to_image, to_model
from operators.light import Light
from operators.light.brightness import ANY, CURVE, DARK, SEEMS_DARK
from tests.operators.light.photos import photo


@pytest.mark.parametrize("goal, least", [(DARK, 5), (ANY, 2.5)])
def test_a_lamp_does_not_stop_the_brightening(goal, least):
    scene, lamp = goal.change(0.05, 0.3, 0.0), goal.change(0.05, 0.99, 0.03)
    assert scene.gain > 2 and lamp.gain == 1
    assert lamp.lift > least and lamp.factor < 1 / least


def test_what_only_seems_dark_is_not_brought_to_white():
    """Without anything bright in it it may be a part of a scene; a lamp changes nothing of that."""
    for median, top in ((0.09, 0.21), (0.1, 0.33), (0.05, 0.6)):
        seems, told = (goal.change(median, top, 0.0) for goal in (SEEMS_DARK, DARK))
        assert 1 < seems.gain < 0.95 * told.gain and seems.factor > 1.05 * told.factor
        assert seems.factor < 0.5
    lamps = [goal.change(0.05, 0.99, 0.0) for goal in (SEEMS_DARK, DARK)]
    assert lamps[0].gain == 1 and lamps[0].lift == pytest.approx(lamps[1].lift, rel=0.25)


def test_a_good_photo_is_left_alone():
    for goal in (DARK, ANY):
        change = goal.change(0.5, 0.95, 0.0)
        assert change.factor == pytest.approx(1, abs=0.03)


def test_too_bright_is_darkened_where_it_may_be_and_white_stays_white():
    assert DARK.change(0.8, 1.0, 0.1).lift == 1 and ANY.change(0.8, 1.0, 0.0).lift == 1
    change = ANY.change(0.8, 1.0, 0.1)
    assert change.lift < 0.42
    assert change.factor * change.white == pytest.approx(1)


def test_what_is_burnt_out_tells_more_than_the_median_does():
    # Of a median that is right otherwise, and in between there is nothing to do.
    assert ANY.change(0.5, 1.0, 0.1).lift < 0.9 and ANY.change(0.5, 1.0, 0.0).lift == 1
    assert ANY.change(0.43, 1.0, 0.1).lift == pytest.approx(1, abs=0.02)

    # Less of it says less, and a dark photo with a lamp in it is brightened all the same.
    lifts = [ANY.change(0.7, 1.0, burnt).lift for burnt in (0.0, 0.01, 0.02, 0.04)]
    assert lifts == sorted(lifts, reverse=True) and lifts[0] == 1 and lifts[-1] < 0.45
    assert ANY.change(0.2, 1.0, 0.14).lift > 2.5


def test_a_photo_that_is_hardly_wrong_is_left_nearly_alone():
    for median, top in ((0.42, 0.97), (0.5, 0.9), (0.55, 0.93)):
        change = ANY.change(median, top, 0.01)
        assert change.gain * change.lift == pytest.approx(1, abs=0.08)


def test_a_median_far_out_is_the_scenes_in_part():
    # A night scene with lamps, and a page of white paper: neither becomes grey.
    for median, top, most in ((0.05, 0.95, ANY.far), (0.97, 1.0, ANY.dim)):
        change = ANY.change(median, top, 0.3)
        moved = median * change.lift / (1 + (change.lift - 1) * median)
        away = abs(math.log(moved / (1 - moved)) - math.log(median / (1 - median)))
        assert 0.8 < away < most


def test_what_is_burnt_out_does_not_turn_grey():
    x = photo()
    y = to_model((3 * x / (1 + 2 * x) * 1.1).clamp(max=1))
    A = Light(mask=False, dark=False).bind(y)
    developed = A.develop(to_image(y))
    assert developed[to_image(y) >= 0.999].min() > 0.95
    assert (developed - x).square().mean() < 0.5 * (to_image(y) - x).square().mean()


def test_the_lamp_in_the_picture():
    x = photo()
    dark = 0.1 * x
    dark[..., :24, :24] = 1.0
    A = Light(mask=False).with_noise(0.004).bind(to_model(dark))
    rest = A.develop(dark)[..., 32:, 32:]
    assert 0.3 < float(rest.amax(1).median()) < 0.65

    # White in x says no more than that y is as bright at least.
    grey = torch.full_like(x, 0.2)
    off = A.misfit(to_model(A.develop(dark).clamp(0, 1)), to_model(dark))
    assert off.abs().max() < 0.05 < A.misfit(to_model(grey), to_model(dark)).abs().max()


def test_a_scene_without_anything_bright_is_not_made_white():
    # Its median is good already: a wall, not a dark photo. Where that is dark, too, it is one.
    wall, lower = ANY.change(0.6, 0.7, 0.0), ANY.change(0.35, 0.57, 0.0)
    assert 1 < wall.gain < 1.2 < 1.3 < lower.gain < 1.55
    assert ANY.change(0.8, 0.85, 0.0).gain == 1
    assert ANY.change(0.1, 0.36, 0.0).gain > 2 and DARK.change(0.6, 0.7, 0.0).gain > 1.35


def test_a_flat_picture_gets_its_curve_whatever_its_median():
    # Dark or bright in the middle: less by a gain, more by a curve, and white stays white.
    for median in (0.2, 0.5):
        plain, flat = ANY.change(median, 0.6, 0.0), ANY.change(median, 0.6, 0.0, flat=1.0)
        assert flat.gain < plain.gain and flat.kept == 1
        assert CURVE - 0.01 < math.log(flat.lift) < CURVE + 0.2 and plain.lift < 1.3
