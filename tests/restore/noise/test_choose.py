"""Little and uneven noise may be texture: those who look for themselves leave it in the photo."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from skimage import data

import gdp
from gdp.picture import to_image
from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel, estimate
from gdp.restore.noise.choose import (
    BELOW,
    BEST,
    FAR,
    LEAST,
    MOST,
    SLACK,
    WHITE_BEST,
    drawn,
    noise_of,
)
from gdp.restore.noise.model import LITTLE
from gdp.restore.noise.taking import believed, take
from operators.auto import FromPhoto
from operators.blur.diagonal import ReflectBlur
from operators.blur.kernels import gaussian
from operators.identity import Identity
from tests.operators.blur.photos import photo
from tests.photos import astronaut


def texture():
    """Detail in one half of a photo, at all brightnesses, [1, 3, 160, 160] in [0, 1]."""
    ramp = torch.linspace(0.2, 0.8, 160)
    detail = 0.03 * Noise([0]).like(torch.empty(1, 1, 160, 160))
    half = torch.where(torch.arange(160)[:, None] % 32 < 16, detail, 0.05 * detail)
    return (ramp + half).expand(1, 3, -1, -1)


def test_texture_is_less_sure_than_noise():
    even = texture() * 0 + 0.5 + 0.03 * Noise([1]).like(torch.empty(1, 3, 160, 160))
    assert estimate(even, coloured=True).sure > 0.9
    assert estimate(texture(), coloured=True).sure < 0.7


def test_doubtful_noise_is_left_where_nobody_asked():
    white = NoiseModel.white(LITTLE / 2)
    doubtful = NoiseModel(white.spectrum, white.curve, white.colours, sure=0.3)
    assert doubtful.doubtful and not white.doubtful and not doubtful.scaled(2 * LITTLE).doubtful

    pixels, few = texture(), replace(doubtful, sure=0.2)
    assert believed(pixels, Identity(), few, 0.001)[0] is few  # that was asked for
    left, y, found = believed(pixels, FromPhoto(), few, 0.001)
    assert left.std == 0.001 and found.leaves
    assert torch.equal(y, take(pixels, FromPhoto(), left, 0.001)[0])

    # Half a doubt: the result is to tell, unless the photo would be sharpened by it.
    sharp = photo(576)[..., ::3, ::3]
    soft = ReflectBlur(gaussian(9, 0.8))(sharp)
    for x, kept in ((sharp, True), (soft, False)):
        model = believed((x + 1) / 2, FromPhoto(), replace(doubtful, sure=0.5), 0.001)[0]
        assert (model.std > 0.005) == kept


def test_a_grey_photo_has_one_noise():
    """A std that is told is that of R = G = B, which no channel has by itself."""
    even = 0.5 + 0.1 * Noise([2]).like(torch.empty(1, 1, 96, 96))
    model = noise_of(even.expand(-1, 3, -1, -1), sigma_y=0.1, alone=True)
    assert model.std == pytest.approx(0.1, rel=0.15)
    assert model.spectrum[0].mean() == pytest.approx(3**0.5 * model.std, rel=0.01)
    assert model.spectrum[1:].max() < 0.01

    assert noise_of(even.expand(-1, 3, -1, -1), sigma_y=0.0, alone=True).is_white


@pytest.mark.parametrize("tone", [(1.0, 1.0, 1.0), (1.0, 0.85, 0.6)])
def test_grain_of_a_grey_or_toned_photo_is_found_flat(tone):
    grey = to_image(astronaut(128)).mean(1, keepdim=True) * 0.6 + 0.2
    noisy = grey + 0.05 * Noise([3]).like(grey)
    pixels = noisy * torch.tensor(tone).view(1, 3, 1, 1)
    strength = 0.05 * float(torch.tensor(tone).square().mean()) ** 0.5

    model = estimate(pixels)
    assert model.is_flat and not model.is_white
    assert model.std == pytest.approx(strength, rel=0.15)
    told = noise_of(pixels, sigma_y=strength, alone=True)
    assert told.is_flat and float(told.spectrum[0, 0, 0]) > 5 * float(told.spectrum[1].max())


def test_grain_of_some_colour_is_not_flat():
    """What a camera smoothed before it was made grey."""
    grey = to_image(astronaut(128)).mean(1, keepdim=True)
    smooth = torch.nn.functional.avg_pool2d(Noise([3]).like(grey), 3, 1, 1)
    assert not estimate((grey + 0.1 * smooth).expand(-1, 3, -1, -1)).is_flat


def coloured(std, sure=1.0):
    """Noise that rises to low frequencies."""
    spectrum = torch.linspace(2, 1, 32, dtype=torch.float64).expand(3, 32, 32)
    white = NoiseModel.white(1.0)
    return NoiseModel(spectrum, white.curve, white.colours, sure).scaled(std)


def test_a_std_that_is_told_about_right_is_kept():
    for model in (NoiseModel.white(0.05), coloured(0.05), coloured(0.05, sure=0.2)):
        for told in (0.047, 0.05, 0.055):
            assert drawn(told, model) == (told, 0)


@pytest.mark.parametrize("found", [0.01, 0.05, 0.2])
def test_a_std_that_is_told_far_off_is_drawn_to_the_likeliest(found):
    for model, best in ((NoiseModel.white(found), WHITE_BEST), (coloured(found), BEST)):
        for told in (4 * found, 20 * found):
            assert drawn(told, model)[0] == pytest.approx(best * found)
    assert drawn(0.2 * found, NoiseModel.white(found))[0] == pytest.approx(WHITE_BEST * found)
    assert drawn(0.2 * found, coloured(found))[0] == pytest.approx(found)

    # What may be texture is believed no more of than its least.
    least = found / LEAST - BELOW
    assert drawn(0.2 * found, coloured(found, sure=0.2))[0] == pytest.approx(least)


def test_what_is_told_far_off_leaves_the_noise_that_was_found():
    """Its colour, too; and texture that was found as such is put back."""
    clean, noise = to_image(astronaut(128)), Noise([3]).like(astronaut(128))
    noisy = clean + 0.1 * F.avg_pool2d(noise, 3, 1, 1)
    about, far = (noise_of(noisy, sigma_y=told, alone=True) for told in (0.036, 0.2))
    found = estimate(noisy)
    assert about.is_white and torch.equal(far.spectrum, found.spectrum) and not found.is_flat

    hair = torch.from_numpy(data.astronaut()[208:304, 208:304].copy()).permute(2, 0, 1) / 255
    assert noise_of(hair[None], sigma_y=0.1, alone=True).std > 0.01
    same = gdp.restore(hair, task="denoise").pixels[0, 0]
    assert (same - hair).square().mean().sqrt() < 0.003


def test_what_is_told_is_given_up_without_a_jump():
    model = coloured(0.05)
    bound = MOST * 0.05 + SLACK
    just, half, far = (drawn(bound * times, model)[0] for times in (1.001, FAR**0.5, FAR))
    assert just == pytest.approx(bound, rel=0.01)
    assert far == pytest.approx(BEST * 0.05) and far < half < just


def test_more_than_is_found_is_believed_less_than_less():
    """Noise that is told of and is not there is drawn; what is left undone is but left."""
    model = coloured(0.05)
    assert drawn(0.05 / 1.25, model)[0] == 0.05 / 1.25
    assert drawn(0.05 * 1.25, model)[0] < 0.05 * 1.2
