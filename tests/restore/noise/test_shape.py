"""The spectrum of noise: colours have no more of it than grey allows, and no less."""

import pytest
import torch

from gdp.restore.noise.model import orders
from gdp.restore.noise.shape import CHROMA, bounded

LOWEST = orders() < 0.125
NEXT = (orders() >= 0.125) & (orders() < 0.25)


def variance(colours: float, grey: float = 0.02) -> torch.Tensor:
    """A flat variance [3, 32, 32] of these stds."""
    stds = torch.tensor([grey, colours, colours])
    return stds.square()[:, None, None].expand(3, 32, 32).clone()


def test_a_scene_s_colours_are_no_noise():
    stds = bounded(variance(0.2)).sqrt()
    torch.testing.assert_close(stds[1:], torch.full_like(stds[1:], 0.02 * CHROMA))


def test_colours_that_a_codec_has_rounded_away_are_noisy_elsewhere():
    stds = bounded(variance(0.003)).sqrt()
    assert float(stds[1:, LOWEST].min()) == pytest.approx(0.75 * 0.02)
    assert float(stds[2, NEXT].max()) == pytest.approx(0.5 * 0.02)
    assert float(stds[1:, ~(LOWEST | NEXT)].max()) == pytest.approx(0.003)


def test_a_grey_photo_has_no_colours():
    assert float(bounded(variance(1e-6))[1:].max()) < 1e-11


def test_white_noise_stays_white():
    torch.testing.assert_close(bounded(variance(0.02)), variance(0.02))
