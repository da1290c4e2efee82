"""Bootstrap intervals mean what they say."""

import numpy as np
import pytest

from benchmarks.intervals import differences, interval


def test_an_interval_holds_the_mean_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        low, high = interval(random.normal(30, 2, (40, 1)))
        held += low <= 30 <= high
    assert 88 <= held <= 99


def test_seeds_of_a_photo_count_less_than_photos():
    random = np.random.default_rng(2)
    photos = random.normal(30, 3, (6, 1))
    many = photos + random.normal(0, 0.1, (6, 8))
    low, high = interval(many)
    alone = interval(photos)
    assert high - low == pytest.approx(alone[1] - alone[0], rel=0.15)
    assert interval([[5.0, 7.0]])[0] == pytest.approx(5, abs=0.01)
    assert interval([[5.0]]) == (5, 5)


def test_differences_are_taken_photo_by_photo():
    a, b = [[30.0], [20.0]], [[29.0], [19.5]]
    assert interval(differences(a, b))[0] > 0
    assert differences([[1.0, 3.0]], [[1.0]]) == [[1.0]]
    with pytest.raises(ValueError, match="no pairs"):
        differences(a, b[:1])
    with pytest.raises(ValueError, match="a score of each"):
        interval([[1.0], []])
