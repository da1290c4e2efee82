"""Haze: found from the photo, and not seen in a clear one."""

import torch

from gdp.picture import to_image, to_model
from operators.light.dehaze import Dehaze
from tests.operators.light.photos import photo


def test_haze_is_found_and_a_clear_photo_left_alone():
    x = photo("astronaut", 128)
    t = torch.linspace(0.35, 0.8, 128).view(1, 1, 128, 1)
    y = to_model(t * x + (1 - t) * 0.85)
    A = Dehaze().bind(y)
    restored = to_image(A.linear().pinv(y - A.offset(y)))
    assert (restored - x).square().mean() < 0.3 * (to_image(y) - x).square().mean()
    assert A.pictures(y)["transmission"].shape == (1, 1, 128, 128)
    clear = Dehaze().bind(to_model(photo("chelsea", 128)))
    assert clear.transmission.min() > 0.8
