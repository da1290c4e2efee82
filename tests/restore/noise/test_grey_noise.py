"""Noise of grey photos where it is counted as white: it is one channel's, and not three."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from gdp import restore
from gdp.prior.noise import Noise
from gdp.restore.noise.choose import of_photo, tinted
from operators.identity import Identity
from operators.missing.mask import Mask, RandomMask
from operators.size.avgpool import AvgPool

LEVEL = 0.1  # of the noise in the tests, [0, 1] units


def noisy(size=128):
    """A grey photo and it with noise, [size, size] in [0, 1]."""
    clean = np.asarray(Image.fromarray(data.camera()).resize((size, size), Image.LANCZOS)) / 255
    noise = LEVEL * np.random.default_rng(0).standard_normal(clean.shape)
    return clean, (clean + noise).clip(0, 1)


def test_what_is_put_in_makes_it_white_and_goes_again():
    n = 0.2 * Noise([1]).like(torch.empty(1, 1, 256, 256)).expand(1, 3, 256, 256)
    A, y = tinted(AvgPool(4).with_noise(0.2), n)
    covariance = torch.cov(y[0].flatten(1))
    torch.testing.assert_close(covariance, 0.12 * torch.eye(3), atol=2e-3, rtol=0)
    assert A.sigma_y == pytest.approx(0.12**0.5)
    torch.testing.assert_close(y.mean(1), n.mean(1))
    assert of_photo(A.sigma_y, y, n) == pytest.approx(0.2) and of_photo(0.2, n, n) == 0.2


def test_what_is_not_touched():
    grey, colour = torch.rand(1, 1, 32, 32).expand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    A = RandomMask().with_noise(0.2)
    for operator, y in ((A, colour), (Identity().with_noise(0.2), grey), (A.with_noise(0), grey)):
        assert tinted(operator, y) == (operator, y)

    # Nor what is lost of a photo.
    half = torch.ones(1, 1, 32, 32)
    half[..., 16:] = 0
    _, y = tinted(Mask(half).with_noise(0.2), half * grey)
    assert y[..., 16:].abs().max() == 0 < (y - half * grey)[..., :16].abs().min()


@pytest.mark.parametrize("words", [{"task": "oldphoto"}, {"task": "sr4", "operator.r": 2}])
def test_grey_grain_goes(words, tmp_path):
    clean, y = noisy()
    file = tmp_path / "grey.png"
    Image.fromarray((255 * y).round().astype(np.uint8)).save(file)
    result = restore(file, sigma_y="auto", **words)
    x = result.pixels[0, 0]
    assert torch.equal(x, x[:1].expand_as(x)) and torch.equal(*result.y[0, :2])
    r = words.get("operator.r", 1)
    small = x[0].unflatten(0, (-1, r)).unflatten(2, (-1, r)).mean((1, 3)).numpy()
    assert np.square(small - clean).mean() < np.square(y - clean).mean() / 3
    assert result.reports[0]["sigma_y"] == pytest.approx(LEVEL, rel=0.15)
