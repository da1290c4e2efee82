"""Noise of one direction in colour where it is counted as white: it is one channel's, not three."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from gdp import restore
from gdp.picture import to_image
from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.choose import tint_of, tinted
from gdp.restore.noise.model import OPPONENT
from gdp.restore.noise.shape import in_all_channels
from operators.identity import Identity
from operators.missing.mask import Mask, RandomMask
from operators.size.avgpool import AvgPool

LEVEL = 0.1  # of the noise in the tests, [0, 1] units


def noisy(size=128):
    """A grey photo and it with noise, [size, size] in [0, 1]."""
    clean = np.asarray(Image.fromarray(data.camera()).resize((size, size), Image.LANCZOS)) / 255
    noise = LEVEL * np.random.default_rng(0).standard_normal(clean.shape)
    return clean, (clean + noise).clip(0, 1)


def grain(std, colours=OPPONENT):
    """A model of noise that is white in one direction of colour; its rms over channels."""
    return in_all_channels(NoiseModel.white(std), colours).scaled(std)


def put_in(A, y, photo=None, model=None, told=False):
    """The operator, y and the tint as a photo's are."""
    photo = to_image(y) if photo is None else photo
    tint = tint_of(A, y, photo, NoiseModel.white(A.sigma_y / 2) if model is None else model, told)
    return *tinted(A, tint, y), tint


def test_what_is_put_in_makes_it_white_and_goes_again():
    n = 0.2 * Noise([1]).like(torch.empty(1, 1, 256, 256)).expand(1, 3, 256, 256)
    A, y, tint = put_in(AvgPool(4).with_noise(0.2), n)
    covariance = torch.cov(y[0].flatten(1))
    torch.testing.assert_close(covariance, 0.12 * torch.eye(3), atol=2e-3, rtol=0)
    assert A.sigma_y == pytest.approx(0.12**0.5, rel=1e-3)
    torch.testing.assert_close(y.mean(1), n.mean(1))
    assert tint.rms == pytest.approx(0.2, rel=1e-3)
    x = A.pinv(y)
    torch.testing.assert_close(tint.off(A, x), x.mean(1, keepdim=True).expand_as(x))


def test_grain_of_a_tone_is_made_white():
    """Noise along (1.08, .93, .74) has nothing at right angles to it, and gets it there."""
    tone = torch.nn.functional.normalize(torch.tensor([1.08, 0.93, 0.74]), dim=0)
    colours = torch.linalg.qr(torch.stack([tone, *torch.eye(3)[:2]]).T).Q.T
    n = 0.2 * 3**0.5 * tone.view(3, 1, 1) * Noise([1]).like(torch.empty(1, 1, 256, 256))
    model = grain(0.1, colours)
    A, y, tint = put_in(Mask(torch.ones(1, 1, 1, 1)).with_noise(0.2), n, model=model)
    torch.testing.assert_close(torch.cov(y[0].flatten(1)), 0.12 * torch.eye(3), atol=2e-3, rtol=0)

    # All that y had at right angles to it comes back, and none of its noise along it.
    x = tint.off(A, torch.zeros_like(y))
    assert x.abs().max() < 0.01 and A.sigma_y == pytest.approx(0.12**0.5, rel=1e-3)
    shifted = tint._replace(y=n + torch.tensor([0.0, 0.0, 0.3]).view(3, 1, 1))
    back = shifted.off(A, torch.zeros_like(y)).mean((0, 2, 3))
    wanted = torch.tensor([0.0, 0.0, 0.3]) - 0.3 * tone[2] * tone
    torch.testing.assert_close(back, wanted, atol=3e-3, rtol=0)


def test_grey_of_a_print_whose_colours_were_noise_has_a_share_of_it():
    """The mean of three channels of white noise of std s is noise of s / sqrt(3)."""
    y = torch.rand(1, 1, 32, 32).expand(1, 3, 32, 32)
    A, _, _ = put_in(RandomMask().with_noise(0.2), y, photo=torch.rand(1, 3, 32, 32))
    assert A.sigma_y == pytest.approx(0.2)


def test_what_is_not_touched():
    grey, colour = torch.rand(1, 1, 32, 32).expand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    A = RandomMask().with_noise(0.2)
    for operator, y in ((A, colour), (Identity().with_noise(0.2), grey), (A.with_noise(0), grey)):
        assert put_in(operator, y) == (operator, y, None)

    # Nor what is lost of a photo.
    half = torch.ones(1, 1, 32, 32)
    half[..., 16:] = 0
    _, y, _ = put_in(Mask(half).with_noise(0.2), half * grey)
    assert y[..., 16:].abs().max() == 0 < (y - half * grey)[..., :16].abs().min()


SEPIA = np.array([1.08, 0.93, 0.74])


def in_colour(kind, size=128):
    """A photo in colour or in tones with one noise for all channels, [size, size, 3] in [0, 1]."""
    colour = np.asarray(Image.fromarray(data.astronaut()).resize((size, size), Image.LANCZOS)) / 255
    noise = LEVEL * np.random.default_rng(0).standard_normal((size, size, 1))
    if kind == "mono":
        return colour, colour + noise
    grey = colour.mean(-1, keepdims=True)
    return grey * SEPIA, (grey + noise) * SEPIA


@pytest.mark.parametrize("kind", ["mono", "sepia"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("sigma_y", ["auto", LEVEL])
def test_grain_of_one_direction_goes(kind, suffix, sigma_y, tmp_path):
    clean, y = in_colour(kind)
    mask = np.zeros((128, 128), np.uint8)
    mask[:, 60:62] = 255
    y[mask > 0] = 0
    file, marked = tmp_path / f"photo.{suffix}", tmp_path / "mask.png"
    Image.fromarray((255 * y.clip(0, 1)).round().astype(np.uint8)).save(file, quality=95)
    Image.fromarray(mask).save(marked)
    result = restore(file, task="inpaint", mask=str(marked), sigma_y=sigma_y)
    x, before = (p[0, 0].permute(1, 2, 0).numpy() for p in (result.pixels, result.y[None]))
    known = mask == 0
    error = np.square(x - clean)[known].mean()
    assert error < np.square(y.clip(0, 1) - clean)[known].mean() / 2.5
    assert result.reports[0]["sigma_y"] == pytest.approx(LEVEL, rel=0.15)
    assert np.abs(before - y.clip(0, 1))[known].mean() < 0.03  # the photo, and nothing put in


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
