"""Stray light M, from y alone."""

import math

import pytest
import torch

from gdp.picture import to_model
from operators.light import Light
from operators.light.first_light import Starts, interval
from operators.light.stray.dark_level import DARKEST, DIFFERS, DarkLevel
from operators.light.stray.network import MOST, WEIGHTS, StrayNetwork, normalised, stray_light
from tests.operators.light.photos import photo, smooth_map


def correlation(a, b):
    """Of two maps."""
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


@pytest.mark.parametrize("f", [0.05, 0.1])
def test_found_end_to_end(f):
    found = []
    for seed, name in enumerate(("astronaut", "chelsea", "coffee", "rocket")):
        x, M = photo(name, 128), 0.06 * smooth_map(128, seed)
        noise = 0.015 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
        A = Light().with_noise(0.03).bind(to_model(f * x + M + noise))
        assert (A.M >= 0).all()
        found.append(correlation(A.map(x)[:, :1], M))
    assert sorted(found)[1] > 0.6 and max(found) > 0.8


def test_none_where_there_is_none():
    for name in ("astronaut", "coffee"):
        x = photo(name, 128)
        M = stray_light(0.1 * x, 0.0)
        assert M.max() < 0.015


def test_a_bright_wall_is_no_stray_light():
    x = 0.1 * photo("coffee", 128)
    x[..., :48, :] = 0.55
    assert stray_light(x, 0.01).max() < 0.03
    assert stray_light(0.02 * photo(size=128) + 0.3, 0.0).max() <= MOST


def test_the_dark_level_is_that_of_the_darkest_places():
    levels = []
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        M = DarkLevel()(0.1 * photo(name, 128) + 0.04, 0.1, 0.0)
        assert M.shape == (64,) and float(M.min()) > 0.035
        levels.append((float(M.mean()) - 0.04) / 0.1)
    assert DARKEST - 2 * DIFFERS < sorted(levels)[1] < DARKEST + 2 * DIFFERS


def test_stray_light_is_of_y_s_own_scale():
    x = photo("chelsea", 128)
    y = 0.1 * x + 0.06 * smooth_map(128)
    M = stray_light(y, 0.003)
    assert torch.allclose(stray_light(0.5 * y, 0.0015), 0.5 * M, atol=1e-5)
    wide = torch.cat([y, y], -1)
    assert stray_light(wide, 0.003).shape == M.shape == (1, 1, 8, 8)
    assert torch.equal(stray_light(torch.cat([y, y]), 0.003), torch.cat([M, M]))
    assert stray_light(y.mean(1, keepdim=True), 0.003).shape == M.shape

    # And of the picture however it lies.
    for turned in (lambda p: torch.rot90(p, 1, (2, 3)), lambda p: p.flip(-2)):
        torch.testing.assert_close(stray_light(turned(y), 0.003), turned(M), atol=1e-5, rtol=1e-3)


def test_its_weights_are_small_and_of_the_network():
    assert WEIGHTS.stat().st_size < 1_500_000
    u, top = normalised(photo(size=64))
    assert float(u.amax(1).quantile(0.99)) == pytest.approx(1, abs=1e-5) and top.shape[1] == 1
    torch.manual_seed(0)
    assert StrayNetwork()(u, torch.zeros(1)).shape == (1, 1, 8, 8)


def test_of_each_colour():
    x = photo("astronaut", 128)
    tint = torch.tensor([0.5, 0.2, 1.0]).view(1, 3, 1, 1)
    y = to_model(0.1 * x + 0.06 * tint)
    A = Light(per_channel=True).bind(y)
    r, g, b = A.map(x).mean((0, 2, 3)).tolist()
    assert g < r < b and A.M.shape[1] == 3
    assert A.pictures(y)["mask"].shape == (1, 3, 128, 128)
    A.fit(to_model(x), y, 0.0)
    r, g, b = A.map(x).mean((0, 2, 3)).tolist()
    assert g < r < b and A.M.isfinite().all()


def test_the_report_says_between_what_f_lies():
    y = to_model(0.1 * photo())
    A = Light().bind(y)
    low, high = A.describe(y)["f_interval"][0]
    assert low < 0.1 < high and high / low < 3.5
    lamp = 0.1 * photo()
    lamp[..., :24, :24] = 1.0
    low, high = Light().bind(to_model(lamp)).describe(y)["f_interval"][0]
    assert high / low > 3


def test_both_starts_are_kept_with_their_evidence():
    x = photo("rocket", 128)
    veiled, plain = (Light().bind(to_model(0.1 * x + v * smooth_map(128))) for v in (0.06, 0.0))
    with_M, none = veiled.describe(x)["starts"]
    assert with_M["M"] and not none["M"] and none["f"] > 1.15 * with_M["f"]
    assert none["evidence"] < 0.3 < plain.describe(x)["starts"][1]["evidence"] <= 0.5

    # Both lie in the interval, and without a map there is one start.
    low, high = plain.describe(x)["f_interval"][0]
    assert all(low < start["f"] < high for start in plain.describe(x)["starts"])
    (only,) = Light(mask=False).bind(to_model(0.1 * x)).describe(x)["starts"]
    assert only["evidence"] == 1 and not only["M"]


def test_the_interval_of_a_mixture():
    one = Starts(*(torch.tensor([[v]]) for v in (0.1, 0.2, 1.0)))
    low, high = interval(one)
    assert math.log(high / 0.1) == pytest.approx(1.645 * 0.2, rel=1e-3) and low * high < 0.0101
    two = Starts(*(torch.tensor([v]) for v in ([0.1, 0.3], [0.2, 0.2], [0.97, 0.03])))
    assert interval(two)[1] < 0.17  # what has 3 % is hardly in 90 %
    assert interval(two._replace(evidence=torch.tensor([[0.5, 0.5]])))[1] > 0.37


def test_handed_on_to_a_larger_picture():
    x = photo("astronaut", 128)
    y = to_model(0.1 * x + 0.06 * smooth_map(128))
    coarse, small = Light().at_scale(2, y)
    A = Light().bind(y, coarse.bind(small))
    assert torch.equal(A.M, coarse.bind(small).M) and A.map(y).shape == (1, 3, 128, 128)
