"""What y alone shows: black without a colour, and the noise that the light has hidden."""

import copy

import pytest
import torch

from gdp.picture import to_model
from gdp.restore.noise import NoiseModel
from operators.identity import Identity
from operators.light import Light
from operators.light.black_level import VEIL, black_level, flatness
from operators.light.radiance.exposures import Exposures
from operators.light.radiance.stacked import Stacked
from samplers.start.arrival import ENOUGH, seen
from tests.operators.light.photos import photo


def test_the_colour_of_black_is_taken_away():
    black = torch.tensor([0.008, 0.0, 0.012]).view(1, 3, 1, 1)
    grey = photo().mean(1, keepdim=True).expand(-1, 3, -1, -1)
    p = 0.1 * grey + black
    found = black_level(p, 0.015)
    assert torch.allclose(found, black, atol=1e-3)
    assert black_level(p, 0.004).amax() == 0.008 and not black_level(p - 0.1, 0.015).any()

    # It is part of the model, and what is shown is grey.
    y = to_model(p)
    A = Light().with_noise(0.03).bind(y)
    shown = A.developed(y)
    assert (shown.amax(1) - shown.amin(1)).abs().max() < 0.03
    dark = shown < 0.95
    assert torch.allclose(A(to_model(shown))[dark], y[dark], atol=0.01)
    assert Light().with_noise(0.03).bind(y, A).black.equal(A.black)


def test_a_flat_picture_is_spread_at_both_ends():
    # Neither white nor black in it: both are found, and what is shown has more of either.
    x = photo()
    x = (x - x.amin()) / (x.amax() - x.amin())
    flat = 0.06 + 0.5 * x
    A = Light(mask=False, dark=False).bind(to_model(flat))
    assert 0.03 < float(A.black) <= VEIL
    shown = A.develop(flat)
    assert (shown - x).square().mean() < 0.25 * (flat - x).square().mean()

    # Of a fog no more than VEIL, and with something white in the picture nothing.
    assert float(flatness(0.4 + 0.2 * x).black) < VEIL
    flat[..., :24, :24] = 1.0
    assert float(flatness(flat).black) == 0


def test_noise_that_was_there_before_is_not_brought_out():
    y = to_model(0.4 * photo())
    A = Light(mask=False, dark=False).bind(y)
    share = A.brought_out()
    f = float(A.f[0, 0])
    assert share.shape == (1, 3, 96, 96) and f < 0.7
    assert float(share.max()) <= 1 - 0.9 * f and float(share.min()) >= 0
    good = to_model(0.97 * photo())  # nothing burnt out
    assert Light(mask=False, dark=False).bind(good).brought_out().max() < 0.2
    assert (Light().bind(y).brought_out() == 1).all()

    # Burnt out places are the prior's.
    burnt = (3 * photo()).clamp(max=1)
    A = Light(mask=False, dark=False).bind(to_model(burnt))
    assert (A.brought_out()[~A.informative()] == 1).all()


def test_several_exposures_are_developed_as_one():
    y = to_model(torch.cat([0.2 * photo(), 0.6 * photo()], 1))
    A = Exposures().bind(y)
    assert A.developed(y).shape == (1, 3, 96, 96)


def test_what_is_shown_is_the_measurement_but_where_it_is_burnt_out():
    white = NoiseModel.white(0.05)
    y = to_model(0.2 * photo())
    A = Light(mask=False).with_noise(0.02).with_whitening(white.whiten).bind(y)
    shown = to_model(A.developed(y))
    assert isinstance(A.linear(), Identity) and A.linear().sigma_y == pytest.approx(0.1)
    assert torch.allclose(y - A.offset(y), shown)
    moved = copy.deepcopy(A)
    moved.relight(torch.tensor([1.5]))
    assert isinstance(moved.linear(), Identity) and isinstance(A.linear(), Identity)

    # Too much light has burnt out what y does not show.
    burnt = to_model((3 * photo()).clamp(max=1))
    A = Light(mask=False, dark=False).with_noise(0.02).with_whitening(white.whiten).bind(burnt)
    assert A.white < 1 and isinstance(A.linear(), Stacked)


def test_how_much_stronger_noise_is():
    A = Light(factors=(0.25,))
    assert A.amplification() == pytest.approx(4)
    y = to_model(0.3 * photo())
    bound, random = Light(mask=False).bind(y), torch.Generator().manual_seed(0)
    noise = 0.001 * torch.randn(y.shape, generator=random)
    stronger = (bound.develop(bound.photo + noise) - bound.develop(bound.photo)) / noise.std()
    inside = bound.develop(bound.photo) < 0.97
    assert stronger[inside].std() == pytest.approx(bound.amplification(), rel=0.1)


def test_a_light_that_is_bound_is_of_its_photos_size():
    """A photo wider than what noise is measured on goes on from its smaller self."""
    y = 2 * 0.2 * torch.rand(1, 3, 16, ENOUGH + 8, generator=torch.Generator().manual_seed(0)) - 1
    light = Light(mask=False).with_noise(0.02)
    assert light.any_size and seen(light, y).std > 0

    bound = light.bind(y)
    assert not bound.any_size and seen(bound, y).std > light.sigma_y
