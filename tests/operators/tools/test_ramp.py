"""Shares by a straight line between two values."""

import pytest

from operators.tools.ramp import ramp


def test_a_ramp_is_cut_at_both_ends_and_straight_between() -> None:
    assert [ramp(v, 2.0, 4.0) for v in (-9.0, 2.0, 4.0, 99.0)] == [0, 0, 1, 1]
    assert ramp(2.5, 2.0, 4.0) == pytest.approx(0.25)


def test_a_ramp_falls_where_its_end_is_less_than_its_beginning() -> None:
    assert [ramp(v, 4.0, 2.0) for v in (-9.0, 2.0, 4.0, 99.0)] == [1, 1, 0, 0]
    assert ramp(2.5, 4.0, 2.0) == pytest.approx(0.75)
