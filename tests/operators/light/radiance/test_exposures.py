"""A bracket of exposures: the camera, the stops, and the light of the scene."""

import pytest
import torch

from gdp.picture import to_model
from operators.light.radiance.exposures import Exposures
from operators.light.radiance.response import find_response, mean_camera
from tests.operators.light.photos import photo


def camera(light):
    """What a camera with an S-shaped curve makes of light."""
    p = light.clamp(1e-6, 1) ** 0.85
    return 1.5 * p / (p + 0.5)


@pytest.fixture(scope="module")
def scene():
    """Light over 8 stops, and three exposures of it two stops apart."""
    light = photo() ** 2.2 * torch.linspace(-3, 1, 96).exp2()
    return light, torch.cat([camera(light * 2.0**e) for e in (-2, 0, 2)], 1)


def test_stops_and_light(scene):
    light, y = scene
    response = find_response(y, 3)
    assert response.stops.tolist() == [-2, 0, 2]
    assert (response.g.diff() > 0).all()
    off = response.scene(y) - light.clamp_min(1e-6).log2()
    seen = light > 0.01
    assert (off - off[seen].median())[seen].abs().median() < 0.1


def test_exposures_that_are_told_are_taken():
    light = photo() ** 2.2
    y = torch.cat([camera(light * f) for f in (2.0, 0.6, 0.1)], 1)
    told = torch.tensor([2.0, 0.6, 0.1]).log2().tolist()
    found = find_response(y, 3, told).stops
    torch.testing.assert_close(found, torch.tensor(told) - told[1])
    for wrong in (told[::-1], [0.0, 0.0, 0.0], told[:2]):  # files of other photos, or of none
        assert find_response(y, 3, wrong).stops.tolist() == find_response(y, 3).stops.tolist()

    A = Exposures().with_noise(0.01)
    assert A.exposed(told).bind(to_model(y)).describe(y)["stops"] == pytest.approx(found.tolist())
    assert Exposures(told=told).exposed([0, 1, 2]).told == pytest.approx(told)
    with pytest.raises(ValueError, match="has 2 exposures, the scene 3"):
        Exposures(told=[0, 1]).bind(to_model(y))
    for wrong in ("x", [1], [0, float("nan")], range(8)):
        with pytest.raises(ValueError, match="exposures in stops"):
            Exposures(told=wrong)


def test_value_is_the_inverse():
    response = find_response(torch.cat([camera(photo() * k) for k in (0.5, 1, 2)], 1), 3)
    z = torch.linspace(0.01, 0.99, 50)
    torch.testing.assert_close(response.value(response.log_light(z)), z)
    assert mean_camera(torch.tensor([0.5, 1.0])).diff() > 0


def test_the_picture_holds_all_of_the_light(scene):
    light, y = scene
    A = Exposures().with_noise(0.01).bind(to_model(y))
    x = A.point
    assert A(to_model(x)).shape == y.shape and x.min() >= 0 and x.max() <= 1
    assert (A(to_model(x)) - to_model(y)).square().mean().sqrt() < 0.05
    assert 0.3 < float(x.amax(1).median()) < 0.55
    off = A.radiance(to_model(x)).log2() - light.log2()
    seen = light > 0.01
    assert (off - off[seen].median())[seen].abs().median() < 0.15
    assert A.describe(y)["stops"] == [-2, 0, 2]


def test_tangent(scene):
    A = Exposures().with_noise(0.01).bind(to_model(scene[1]))
    A.point = photo("coffee").clamp(0.1, 0.9)
    x = to_model(A.point)
    nudge = 1e-3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    moved = A(x + nudge) - A(x)
    off = A.linear()(nudge) - moved
    assert off[A.informative()].abs().median() < 0.1 * moved.abs().median()
