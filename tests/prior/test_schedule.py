"""Noise schedules, and the walks along them."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.prior.schedule import Schedule, betas, respaced


@pytest.mark.parametrize(
    "T, steps, top",
    [(1000, 50, 981), (1000, 1000, 1000), (1000, 30, 958), (1000, 1, 1), (100, 7, 85)],
)
def test_strided_times(T, steps, top):
    times = Schedule(steps).times(T)
    assert len(times) == steps and times[0] == 1 and times[-1] == top


@given(
    st.integers(1, 300),
    st.sampled_from(["strided", "respaced", "quadratic"]),
    st.integers(1, 20),
    st.integers(1, 3),
)
@settings(max_examples=80, deadline=None)
def test_every_schedule_walks_down_to_the_clean_image(steps, spacing, travel, repeat):
    schedule = Schedule(steps, travel, repeat, spacing=spacing)
    pairs = list(schedule.pairs(300))
    times = schedule.times(300)
    assert times == sorted(set(times)) and times[0] >= 1 and times[-1] <= 300
    assert pairs[0][0] == times[-1] and pairs[-1][1] == 0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pairs))
    assert schedule.nfe(300) == sum(s < t for t, s in pairs) >= len(times)
    assert all(t > 0 for t, s in pairs)


def test_time_travel_counts_as_published():
    """RePaint's T = 250, jumps of 10, 10 times; DDNM's 100 steps, 10 x 3."""
    assert Schedule(250, 10, 10).nfe(1000) == 2410
    assert Schedule(100, 10, 3).nfe(1000) == 280


def test_respacing_visits_both_ends():
    assert respaced(1000, [50])[0] == 1 and respaced(1000, [50])[-1] == 1000
    assert len(respaced(1000, [10, 15, 20])) == 45
    with pytest.raises(ValueError, match="section"):
        respaced(30, [5, 20])


@pytest.mark.parametrize(
    "bad",
    [
        {"steps": 0},
        {"steps": 1.5},
        {"steps": True},
        {"travel": 0},
        {"repeat": -1},
        {"start": 0.0},
        {"start": 1.1},
        {"spacing": "x"},
    ],
)
def test_bad_schedules(bad):
    with pytest.raises(ValueError):
        Schedule(**bad)


def test_too_many_steps():
    with pytest.raises(ValueError, match="1 to 1000"):
        list(Schedule(1001).pairs(1000))
    with pytest.raises(ValueError, match="1 to 100"):
        list(Schedule(101, start=0.1).pairs(1000))


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_betas(name):
    b = betas(1000, name)
    assert b.dtype == torch.float64 and len(b) == 1000 and (b > 0).all() and (b < 1).all()
    with pytest.raises(ValueError, match="linear or cosine"):
        betas(10, "square")
