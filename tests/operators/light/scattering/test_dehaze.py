"""Haze: found from the photo, and not seen in a clear one."""

import pytest
import torch

from gdp.picture import to_image, to_model
from operators.light.scattering.dehaze import Dehaze, veil
from tests.operators.light.photos import photo


def test_haze_is_found_and_a_clear_photo_left_alone():
    x = photo("astronaut", 128)
    t = torch.linspace(0.35, 0.8, 128).view(1, 1, 128, 1)
    y = to_model(t * x + (1 - t) * 0.85)
    A = Dehaze().bind(y)
    restored = to_image(A.linear().pinv(y - A.offset(y)))
    assert (restored - x).square().mean() < 0.3 * (to_image(y) - x).square().mean()
    assert A.pictures(y)["transmission"].shape == (1, 1, 128, 128)
    assert not A.leaves and not A.remark(y)

    p = to_model(photo("chelsea", 128))
    clear = Dehaze().bind(p)
    assert clear.transmission.min() > 0.9
    assert clear.leaves and "no haze was found" in clear.remark(p)


def test_places_keep_their_brightness_and_the_sky_its_colour():
    x = 0.45 * photo("chelsea", 128)
    x[..., :40, :] = torch.tensor([0.5, 0.52, 0.58]).view(1, 3, 1, 1)
    t = torch.linspace(0.2, 0.9, 128).view(1, 1, 128, 1)
    y = to_model(t * x + (1 - t) * 0.55)
    A = Dehaze().bind(y)
    restored, hazy = to_image(A.linear().pinv(y - A.offset(y))), to_image(y)
    assert restored.amax(1).median() > 0.85 * min(float(hazy.amax(1).median()), 0.42)
    assert (restored - hazy)[..., :30, :].abs().mean() < 0.03
    assert restored[..., 60:, :].std() > 1.1 * hazy[..., 60:, :].std()


def test_the_ground_is_darkened_only_where_haze_is_sure():
    # The ground under a pale sky, a fifth of it taken for the veil of one airlight.
    p = 0.6 * photo("astronaut", 128)
    p[..., :30, :] = 0.63
    t, a = torch.full((1, 1, 128, 128), 0.8), torch.full((1, 3, 1, 1), 0.63)

    def ground(sure: float) -> float:
        t_, light = veil(p, t, a, sure)
        return float(((p - (1 - t_) * light) / t_)[..., 60:, :].mean())

    before = float(p[..., 60:, :].mean())
    assert ground(0.3) == pytest.approx(before, rel=0.03)
    assert ground(1.0) < 0.6 * before


def test_a_simulated_haze_is_not_told():
    x = to_model(photo("chelsea", 128))
    y, A = Dehaze(transmission=0.4).degrade(x, lambda z: z)
    assert torch.allclose(to_image(y), 0.4 * to_image(x) + 0.6 * 0.9, atol=1e-6)

    # What is found takes contrast back, and none of it knows 0.4
    found = A.bind(y)
    restored = to_image(found.linear().pinv(y - found.offset(y)))
    assert to_image(y).std() < restored.std() <= to_image(x).std() + 0.05
