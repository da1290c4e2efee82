"""A sigma_y that is told wrongly by a factor of two draws no patterns, and costs less than 1 dB."""

import pytest
import torch

from benchmarks.phone import STRENGTHS, develop
from gdp import restore
from gdp.picture import to_image
from gdp.prior.noise import Noise
from gdp.restore.scores.metrics import psnr
from operators.tools.transforms import dct2
from tests.photos import astronaut

SIZE, CORNER = (
    96,
    0.85,
)  # pixels; the share of the highest frequency from which it is a checkerboard


def white():
    """A photo in white noise, and without."""
    x = to_image(astronaut(SIZE))
    return (x + 0.08 * Noise([0]).like(x)).clamp(0, 1), x


def camera():
    """What a sensor and its demosaicking make of a photo in bad light, and in good light."""
    x = to_image(astronaut(SIZE))[0]
    y, clean = (develop(x, s, 3)[None].float() for s in (STRENGTHS["strong"], None))
    return y, clean


def checkerboard(pixels):
    """The power of what changes sign from pixel to pixel, in rows and columns."""
    c = dct2(pixels)
    first = int(CORNER * SIZE)
    return float(c[..., first:, first:].square().mean())


@pytest.mark.parametrize("photo", [white, camera])
def test_told_wrongly(photo):
    y, x = photo()
    right = float((y - x).square().mean().sqrt())
    results = [
        restore(y[0], task="denoise", sigma_y=times * right).pixels[:, 0].clamp(0, 1)
        for times in (1.0, 0.5, 2.0)
    ]
    scores = [float(psnr(pixels, x)) for pixels in results]
    assert scores[0] > float(psnr(y, x)) + 1
    assert min(scores[1:]) > scores[0] - 1

    # No more of it than the photo has, or is left of the noise where too little was told.
    allowed = 2 * checkerboard(x) + 0.25 * checkerboard(y - x)
    assert all(checkerboard(pixels) < allowed for pixels in results)


def test_a_checkerboard_is_seen():
    i = torch.arange(SIZE)
    board = 0.05 * (1 - 2.0 * ((i[:, None] + i) % 2))
    assert checkerboard(board.expand(1, 3, -1, -1)) > 100 * checkerboard(to_image(astronaut(SIZE)))
