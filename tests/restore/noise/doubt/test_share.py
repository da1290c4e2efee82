"""Noise that a restoration did not find is put back, noise that it took away is not."""

from dataclasses import replace

import pytest
import torch

from gdp.picture import to_image, to_model
from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.doubt import evidence
from gdp.restore.noise.doubt.evidence import little_evidence
from gdp.restore.noise.doubt.share import (
    ALL,
    DOUBTFUL,
    MENDS,
    NONE,
    SURELY,
    borne_out,
    mended_noise_share,
    noise_share,
    was_noise,
)
from gdp.restore.noise.evenness import evenness
from gdp.restore.noise.model import OPPONENT
from operators.blur.kernels import gaussian
from operators.blur.known import blur
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.light import Light
from operators.noise.bands import share_taken
from operators.noise.whitening import Whitening
from tests.photos import astronaut

SIZE = 128


def blotches() -> NoiseModel:
    """Noise that falls with frequency, as a camera's does."""
    n = torch.arange(32)
    spectrum = 0.1 / (1 + torch.maximum(n[:, None], n) / 6)
    return NoiseModel(spectrum.expand(3, 32, 32), torch.ones(17), OPPONENT)


def noisy(std=0.012):
    """A photo, the same in such noise, [-1, 1] both, and the noise."""
    model, x = blotches().scaled(std), astronaut(SIZE)
    W = Whitening(2 * model.at(SIZE, SIZE), None, OPPONENT)
    return x, x + W.inverse(W.sigma * Noise([0]).like(x)), model


def borne(pixels, A, y, noise) -> float:
    """What the evidence alone says of a result in [0, 1]."""
    return borne_out(to_model(pixels), A, y, noise)


def mended(pixels, A, y) -> float:
    """The share of a change that is no more than what mending its codec's errors comes to."""
    return MENDS * A.jpeg.error(y) / 2 / float((pixels - to_image(y)).square().mean().sqrt())


def test_noise_that_was_taken_away_was_noise():
    x, y, model = noisy()
    assert borne(to_image(x), Identity(), y, model) == 1

    # A restoration that leaves most of it speaks against it.
    shares = [
        borne(to_image(torch.lerp(y, x, taken)), Identity(), y, model) for taken in (0.3, 0.65, 0.9)
    ]
    assert shares[0] == 0 and 0 < shares[1] < 1 and shares[2] == 1

    # Three bands, and half of where it lies and of how sure it was before.
    told = little_evidence(y, torch.lerp(y, x, 0.65), model)
    assert shares[1] == pytest.approx((told - NONE) / (ALL - NONE), abs=0.05)
    without = little_evidence(y, torch.lerp(y, x, 0.65), replace(model, sure=0.0))
    assert told - without == pytest.approx(0.5)


def test_doubtful_noise_is_asked_for_more():
    """Texture that passed for noise lies unevenly, and less of it is taken."""
    x, y, model = noisy(0.012)
    for sure in (0.3, 0.5):
        unsure = replace(model, sure=sure)
        assert unsure.doubtful and not model.doubtful
        assert borne(to_image(x), Identity(), y, unsure) == 1

    # Of what is taken in part nothing was noise, if it was not sure.
    some = torch.lerp(y, x, 0.8)
    shares = [
        borne(to_image(some), Identity(), y, replace(model, sure=sure)) for sure in (0.0, 0.4, 0.9)
    ]
    told = little_evidence(y, some, replace(model, sure=0.4))
    assert shares[0] == 0 and shares[2] == 1
    low, high = DOUBTFUL
    assert shares[1] == pytest.approx(
        min(1.0, max(0.0, (told - 0.1 - low) / (high - low))), abs=1e-3
    )


def test_noise_that_is_hardly_seen_is_taken_where_it_is_surely_noise():
    """Of what may be meant a part is taken, unless the result tells that it was noise."""
    x, y, model = noisy(0.005)
    A = Identity()
    A.takes = 0.35
    assert little_evidence(y, x, model) > max(SURELY)
    assert borne(to_image(x), A, y, model) == 1

    some = torch.lerp(y, x, 0.7)
    assert ALL < little_evidence(y, some, model) < min(SURELY)
    assert borne(to_image(some), A, y, model) == pytest.approx(0.35)
    assert borne(to_image(some), Identity(), y, model) == 1


def test_much_noise_is_gone_where_nothing_hides_it():
    x, y, model = noisy(0.05)
    assert borne(to_image(x), Identity(), y, model) == 1

    # Low frequencies are left, for texture is there too; the upper ones are gone.
    blurred = blur(gaussian(13, 2.0))
    left = x + blurred(y - x)
    assert borne(to_image(left), Identity(), y, model) == 1
    assert borne(to_image(torch.lerp(y, x, 0.5)), Identity(), y, model) == 0

    # Nothing but what is fine in the photo was taken: texture.
    smoothed = torch.lerp(blurred(x), x, 0.5)
    assert borne(to_image(smoothed), Identity(), x, model) == 0


@pytest.mark.parametrize("std, believed", [(0.03, 0.0), (0.05, 1.0)])
def test_of_an_enlarged_photo_only_loud_noise_is_believed(std, believed, monkeypatch):
    """Half of it is gone of grey, all of the colours: without fine frequencies, texture is, too."""
    x, y, model = noisy(std)
    half = x + 0.25 * (y - x).mean(1, keepdim=True)
    assert borne(to_image(half), Identity(), y, model) == 1
    monkeypatch.setattr(evidence, "enlarged", lambda y: 1.5)
    monkeypatch.setattr(evidence, "ENLARGED", (1.9, 2.0))
    assert borne(to_image(half), Identity(), y, model) == believed


def test_where_nothing_hides_it_noise_is_told_in_spite_of_texture():
    """Half of the photo is so busy that a network leaves what noise it has."""
    model, n = blotches().scaled(0.05), SIZE
    W = Whitening(2 * model.at(n, n), None, OPPONENT)
    noise = W.inverse(W.sigma * Noise([0]).like(torch.empty(1, 3, n, n)))
    busy = torch.arange(n) >= n // 3
    x = 0.3 * Noise([1]).like(noise) * busy
    left = 1 - 0.9 * busy.float()  # of the change

    changed = x + noise * (1 - left)
    assert share_taken((noise * left)[0, 0], 2 * model.at(n, n)[0, 0], 0.5, 0.9) < 0.7
    assert borne(to_image(changed * 0.5), Identity(), (x + noise) * 0.5, model.scaled(0.025)) == 1
    flat = torch.full((n, n), 0.1)
    assert evenness(0.1 * noise[0, 0], x[0, 0], flat, None) < evenness(
        noise[0, 0], x[0, 0], flat, None
    )


def test_noise_of_the_colours_that_is_gone_speaks_for_noise():
    """A photo so busy that most of its grey noise stays: the colours tell noise from texture."""
    model, n = blotches().scaled(0.05), SIZE
    W = Whitening(2 * model.at(n, n), None, OPPONENT)
    noise = W.inverse(W.sigma * Noise([0]).like(torch.empty(1, 3, n, n)))
    x, grey = torch.zeros_like(noise), noise.mean(1, keepdim=True).expand_as(noise)

    # Of grey 0.65 is taken, of the colours all, or 0.6.
    shares = [
        borne(to_image(x + 0.35 * grey + left * (noise - grey)), Identity(), x + noise, model)
        for left in (0.0, 0.4)
    ]
    assert shares == [1, 0]


def test_where_nothing_is_said():
    _, y, model = noisy()
    same = to_image(y)
    assert noise_share(same, blur(gaussian(9, 1.0)), y, model) == 1
    assert noise_share(same, Identity(), y, NoiseModel.white(0.01)) == 1
    assert noise_share(same[..., :32, :32], Identity(), y[..., :32, :32], model) == 1

    # Little of it; much that was left was none.
    light = NoiseModel(NoiseModel.white(0.1).spectrum, torch.linspace(0.5, 1.5, 17), OPPONENT)
    assert noise_share(same, Identity(), y, light.scaled(0.01)) == 1


def test_white_noise_that_is_left_was_none():
    x = astronaut(SIZE)
    y, model = x + 0.2 * Noise([0]).like(x), NoiseModel.white(0.1)
    assert borne(to_image(x), Identity(), y, model) == 1
    assert borne(to_image(y), Identity(), y, model) == 0


@pytest.mark.parametrize("jpeg", [False, True])
def test_white_noise_that_texture_hides_in_grey_is_told_by_the_colours(jpeg):
    """All of it is gone there; texture that passed for white noise has nothing to go there."""
    x, model = astronaut(SIZE), NoiseModel.white(0.04)
    noise = 0.08 * Noise([0]).like(x)
    grey = noise.mean(1, keepdim=True)
    A = Compressed(Identity(), JPEG(95), 0.01, torch.zeros(3, 8, 8)) if jpeg else Identity()

    # Half of grey's noise stays, and all of texture's colours were there before
    share = borne(to_image(x + 0.5 * grey), A, x + noise, model)
    y, some = x + grey, to_image(x + 0.5 * grey)
    texture = borne(some, A, y, model) - (mended(some, A, y) if jpeg else 0)
    assert share == 1 and texture < 0.2


def test_a_compressed_photo_is_asked_as_well():
    x, y, model = noisy(0.05)
    A = Compressed(Identity(), JPEG(95), 0.01, torch.zeros(3, 8, 8))
    some = to_image(torch.lerp(y, x, 0.4))
    assert borne(some, A, y, model) == pytest.approx(mended(some, A, y), rel=1e-3)
    assert borne(to_image(x), A, y, model) == 1


def test_of_a_jpeg_the_colours_tell_and_what_mends_its_codec_is_kept():
    """Its codec's errors go with any texture, so that grey noise seems to be gone."""
    x, y, even = noisy(0.05)
    model = replace(even, sure=0.5)
    grey = (y - x).mean(1, keepdim=True).expand_as(x)
    A = Compressed(Identity(), JPEG(90), 0.02, torch.zeros(3, 8, 8))
    assert borne(to_image(x), A, y, model) == 1

    # Of grey all is taken, of the colours half.
    some = to_image(x + 0.5 * (y - x - grey))
    assert borne(some, A, y, model) == pytest.approx(mended(some, A, y), rel=1e-3)
    assert borne(some, A, y, even) == 1  # low frequencies are gone, too
    assert borne(some, Identity(), y, model) == 1
    assert was_noise(some, A, y, model) == 0 and was_noise(to_image(x), A, y, model) == 1

    # A change of no more than what mending the codec's errors comes to is kept; of more, less.
    change = some - to_image(y)
    unit = A.jpeg.error(y) / 2 / float(change.square().mean().sqrt())
    shares = [
        borne(to_image(y) + part * unit * change, A, y, model)
        for part in (0.5, 1.2 * MENDS, 1.6 * MENDS)
    ]
    assert shares == [1, pytest.approx(1 / 1.2, rel=1e-3), pytest.approx(1 / 1.6, rel=1e-3)]

    # Where the noise has no colour, they tell nothing.
    faint = replace(model, spectrum=model.spectrum * torch.tensor([1, 0.05, 0.05]).view(3, 1, 1))
    assert borne(to_image(y - grey), A, y, faint) == 1
    assert borne(to_image(y - 0.85 * grey), A, y, faint) < 1

    # Nor are they asked of noise that is louder than any texture.
    x, y, model = noisy(0.1)
    grey = (y - x).mean(1, keepdim=True).expand_as(x)
    some = to_image(x + 0.5 * (y - x - grey))
    assert was_noise(some, A, y, model) == borne(some, Identity(), y, model) > 0


def test_the_share_of_a_band():
    std = torch.full((SIZE, SIZE), 0.1)
    change = 0.05 * torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    assert share_taken(change, std, 0.25, 0.5) == pytest.approx(0.5, rel=0.05)
    assert share_taken(torch.ones_like(std), std, 0.1, 1.0) == pytest.approx(0, abs=1e-4)
    assert share_taken(change, std, 2.0, 3.0) == 0


def test_in_mended_light_even_noise_is_believed_and_texture_is_not():
    x, _, model = noisy()
    photo = 0.3 * to_image(x)
    y = to_model(photo)
    A = Light(mask=False, dark=True).with_noise(0.01).bind(y)
    same = A.developed(y).clamp(0, 1)
    even, uneven = (replace(model, sure=sure) for sure in (1.0, 0.3))
    assert (mended_noise_share(same, A, y, even) == 1).all()
    assert (mended_noise_share(same, A, y, uneven) == 0).all()

    # Noise that mending brought out is less where the result is bright; texture is not.
    falling = replace(uneven, falls=0.7)
    assert (mended_noise_share(same, A, y, falling) == 1).all()
    rising = replace(uneven, falls=-0.7, curve=torch.linspace(1.3, 0.6, 17))
    assert (mended_noise_share(same, A, y, rising) == 0).all()

    # Where the photo may have been bright, only what its light has hidden.
    B = Light(mask=False, dark=False).with_noise(0.01).bind(y)
    share = mended_noise_share(same, B, y, even)
    assert 0.2 < float(share.max()) < 0.8
