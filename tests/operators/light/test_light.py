"""The light of a photo, and of several exposures of a scene."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.picture import to_model
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.light import Light
from operators.light.exposure import find_exposure
from samplers.anchored import Anchored
from tests.operators.light.photos import photo


@pytest.mark.parametrize("level, word", [(0.0, "black"), (1.0, "white")])
def test_nothing_to_see(level, word):
    with pytest.raises(ValueError, match=word):
        Light().bind(to_model(torch.full((1, 3, 16, 16), level)))


def test_exposures_of_a_scene():
    x = photo()
    true = torch.tensor([1.6, 0.5, 0.2])
    y = torch.cat([(f * x).clamp(max=1) for f in true], 1)
    factors = find_exposure(y, 3).factors
    ratios = factors[0] / factors[0, 1] * true[1] / true
    assert (ratios - 1).abs().max() < 0.02
    A = Light(mask=False).bind(to_model(y))
    gain = (A.point * x).sum() / (A.point * A.point).sum()
    assert (gain * A.point - x).abs().mean() < 0.02
    assert A.radiance(to_model(A.point)).shape == x.shape and A(to_model(x)).shape == y.shape


def test_light_that_was_found_is_kept_for_another_y():
    dark, good, bright = (to_model((f * photo()).clamp(max=1)) for f in (0.3, 1.0, 1.8))
    A = Light(mask=False, dark=False)
    assert not A.brightens and Light().brightens
    assert [A.as_found(y).brightens for y in (dark, good, bright)] == [True, False, False]

    # Also for several pictures at a time; another found before is taken for them instead.
    known, own, two = A.as_found(dark), A.bind(dark), torch.cat([good, bright])
    assert torch.equal(known.bind(two).f, own.f.expand(2, -1, -1, -1))
    assert torch.equal(known.bind(two, A.bind(two)).f, A.bind(two).f)


@settings(max_examples=15, deadline=None)
@given(h=st.integers(1, 40), w=st.integers(1, 40), K=st.integers(1, 3))
def test_any_size(h, w, K):
    y = to_model(
        torch.rand(2, 3 * K, h, w, generator=torch.Generator().manual_seed(h * w)) * 0.5 + 0.01
    )
    sampler = Anchored(schedule=Schedule(3, start="auto", spacing="squared", end="auto"))
    A = Light(factors=[1.0] * K).with_noise(0.02)
    x, bound = sampler(GaussianPrior(), A, y, [0, 1])
    assert (
        x.shape == (2, 3, h, w)
        and x.isfinite().all()
        and (bound.f > 0).all()
        and bound.pictures(y).keys() == set(bound.pictured)
    )


def test_parameters_do_not_leak():
    A = Light().with_noise(0.02)
    sampler = Anchored(schedule=Schedule(4, start="auto", spacing="squared", end="auto"))
    before = {k: v.clone() for k, v in A.state_dict().items()}
    one = sampler(GaussianPrior(), A, to_model(0.1 * photo()), [0])
    sampler(GaussianPrior(), A, to_model(0.3 * photo("coffee")), [0])
    again = sampler(GaussianPrior(), A, to_model(0.1 * photo()), [0])
    assert torch.equal(one.x, again.x) and torch.equal(one.operator.f, again.operator.f)
    assert all(torch.equal(v, before[k]) for k, v in A.state_dict().items())
    both = sampler(
        GaussianPrior(), A, to_model(torch.cat([0.1 * photo(), 0.3 * photo("coffee")])), [0, 1]
    )
    torch.testing.assert_close(both.x[:1], one.x, atol=2e-3, rtol=0)
