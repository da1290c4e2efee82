"""Little evidence that light lacks changes little, and no more of it is given than can lack."""

import math

import pytest
import torch
from skimage.data import hubble_deep_field

from operators.light.brightness import SEEMS_DARK
from operators.light.darkness import BELIEVED, DIM_MEDIAN, MOST, goal_of, lack, may_lack


def picture(median, top, size=256):
    """A picture [1, 3, size, size] in [0, 1] of these quantiles of its brightness."""
    pixels = torch.full((1, 3, size, size), median)
    pixels[..., : size // 3] = median / 2
    pixels[..., -(size // 8) :] = top
    return pixels


def logit(p):
    return math.log(p / (1 - p))


def moved(median, top, noise=0.0):
    """By how much the median is to rise, in log-odds."""
    goal = goal_of(picture(median, top), noise)
    return None if goal is None else logit(goal.median) - logit(median)


def test_what_is_no_darker_than_scenes_are_has_no_goal():
    for median, top in ((0.25, 0.28), (0.12, 0.8), (0.3, 0.99)):
        assert lack(picture(median, top)) < 0 and moved(median, top) is None
    assert lack(picture(0.1, 0.2)) == pytest.approx(-2.3 - logit(0.1) - 0.75 * logit(0.2), abs=0.01)


def test_little_evidence_changes_little():
    # From no change at all where it begins to all of it.
    tops = [1 / (1 + math.exp((s + 2.3 + logit(0.12)) / 0.75)) for s in (0.02, 0.15, 0.32)]
    moves = [moved(0.12, top) for top in tops]
    full = logit(SEEMS_DARK.median) - logit(0.12)
    expected = [full * min(1, s / BELIEVED) for s in (0.02, 0.15, 0.32)]
    assert moves == pytest.approx(expected, abs=0.02) and moves[0] < 0.15

    # Noise that surely is some is evidence, too, and a little of it is none.
    assert moved(0.12, tops[0], 0.012) == pytest.approx(full, abs=0.01)
    assert moved(0.12, tops[0], 0.004) == pytest.approx(moves[0])
    assert moves[0] < moved(0.12, tops[0], 0.007) < full


def test_a_small_photo_may_be_the_dark_part_of_one():
    small, half = (picture(0.05, 0.1, size) for size in (128, 192))
    assert lack(small) > 0 and goal_of(small) is None and goal_of(small, 0.02) is not None
    medians = [goal_of(photo).median for photo in (half, picture(0.05, 0.1))]
    assert 0.06 < medians[0] < 0.8 * medians[1]


def test_between_stars_there_is_nothing_to_show():
    sky = torch.from_numpy(hubble_deep_field()[:256, :256]).permute(2, 0, 1)[None] / 255
    assert lack(sky) > 0 and goal_of(sky, 0.02) is None and goal_of(0 * sky) is None

    # The same sky, with ground below.
    sky[..., 160:, :] *= 0.5
    assert goal_of(sky, 0.02) is not None


def test_no_more_light_is_given_than_can_lack():
    for noise, most in ((0.0, MOST[0]), (0.02, MOST[1])):
        assert moved(0.01, 0.05, noise) == pytest.approx(most, abs=0.01)
    black = goal_of(picture(0.004, 0.01))
    assert black is not None and black.median < 0.05

    # White beyond that median is not asked for either.
    goal = goal_of(picture(0.1, 0.2))
    change = goal.change(0.1, 0.2, 0.0)
    after = change.gain * 0.1
    after = change.lift * after / (1 + (change.lift - 1) * change.kept * after)
    assert change.gain > 1 and after <= goal.median + 0.01


def test_a_dim_photo_may_lack_light():
    assert may_lack(picture(0.9 * DIM_MEDIAN, 0.99)) and not may_lack(
        picture(1.1 * DIM_MEDIAN, 0.3)
    )
