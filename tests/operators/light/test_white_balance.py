"""Colour casts: found from the photo, and taken away."""

import pytest
import torch
import torch.nn.functional as F

from gdp.picture import to_image, to_model
from operators.light.white_balance import WhiteBalance, colour_cast
from tests.operators.light.photos import photo


def angle(g):
    """Degrees between a light and grey."""
    return float(torch.rad2deg(torch.acos(F.cosine_similarity(g, torch.ones(3), dim=0))))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "chelsea"])
def test_a_cast_is_halved(name):
    x = photo(name)
    own = angle(colour_cast(x))
    for g in ([1.0, 0.8, 0.55], [0.6, 0.85, 1.0]):
        g = torch.tensor(g)
        left = g / colour_cast(x * g.view(1, 3, 1, 1))
        assert angle(left) < max(0.5 * angle(g), own + 2)


def test_white_balance_reports_and_restores():
    x = photo("coffee")
    y = to_model(x * torch.tensor([1.0, 0.8, 0.6]).view(1, 3, 1, 1))
    A = WhiteBalance().bind(y)
    restored = to_image(A.linear().pinv(y - A.offset(y)))
    assert len(A.describe(y)["gains"]) == 3 and angle(colour_cast(restored)) < angle(
        colour_cast(to_image(y))
    )


def test_brightness_stays():
    for g in ([1.0, 0.8, 0.55], [0.6, 0.85, 1.0]):
        y = photo("coffee") * torch.tensor(g).view(1, 3, 1, 1)
        assert colour_cast(y).log().sum().abs() < 1e-5


def test_a_photo_of_one_colour_has_no_cast():
    """No light has so much of it: a yellow flower came out grey."""
    flower = photo("coffee") * torch.tensor([1.0, 0.8, 0.1]).view(1, 3, 1, 1)
    assert torch.allclose(colour_cast(flower), torch.ones(3))
    y = to_model(flower)
    assert "no colour cast" in WhiteBalance().bind(y).remark(y)


def test_a_simulated_cast_is_not_told():
    x, g = photo("rocket"), torch.tensor([0.6, 0.85, 1.0])
    y, A = WhiteBalance(gains=g.tolist()).degrade(to_model(x), lambda z: z)
    assert torch.allclose(to_image(y), x * g.view(1, 3, 1, 1), atol=1e-6)

    found = A.bind(y).gains.flatten().float()
    own = angle(colour_cast(x))
    assert 0.1 < angle(g / found) < max(0.5 * angle(g), own + 2)
    with pytest.raises(ValueError, match="three gains above 0"):
        WhiteBalance(gains=[1.0, 0.0, 1.0])
