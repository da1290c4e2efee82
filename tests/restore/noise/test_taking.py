"""Of a dark photo in mended light: its noise is found, and none of it is left as speckle."""

import pytest
import torch
import torch.nn.functional as F

import gdp
from gdp.picture import to_model
from gdp.restore.noise.estimate import estimate
from gdp.restore.noise.model import OPPONENT, ROUNDING, NoiseModel, orders
from gdp.restore.noise.taking import of_developed, take
from operators.auto import FromPhoto
from operators.light import Light
from tests.operators.light.photos import photo

GREY, BLOTCHES = 0.008, 0.006  # std of noise in y


def dark_photo(size: int = 96) -> torch.Tensor:
    """A photo in a tenth of its light, with a flat wall at its right, as a camera has it.

    Its noise is fine in grey, and in colours, of which codecs keep little, it is blotches.
    """
    x, random = photo("astronaut", size), torch.Generator().manual_seed(0)
    x[..., -size // 3 :] = 0.25
    grey = GREY * torch.randn(1, 1, size, size, generator=random)
    coarse = torch.randn(1, 3, size // 4, size // 4, generator=random)
    blotches = BLOTCHES * F.interpolate(coarse, scale_factor=4.0, mode="bilinear")
    noise = grey + blotches - blotches.mean(1, keepdim=True)
    return (0.1 * x + 0.01 + noise).clamp(0, 1)


def speckle(pixels: torch.Tensor) -> tuple[float, float]:
    """The std of colours and of grey on the wall, where there is neither."""
    wall = pixels[..., 8:-8, -26:-6]
    grey = wall.mean(1, keepdim=True)
    colours = wall - grey
    return float((colours - colours.mean((2, 3), keepdim=True)).std()), float(grey.std())


def test_the_noise_of_a_mended_photo_has_its_colours_blotches():
    y = to_model(dark_photo())
    A, noise = of_developed(Light().with_noise(2 * GREY), y, ROUNDING)
    light = A.bind(y)
    assert noise is not None and light.plain is not None

    # Grey has the noise of y in the light that was lacking, colours have it below.
    stds, order = noise.spectrum, orders()
    grey = stds[0, order >= 0.5].square().mean().sqrt() / 3**0.5
    assert 0.6 < grey / (GREY * light.amplification()) < 1.4
    assert stds[1:, order < 0.25].mean() > 2 * stds[1:, order >= 0.5].mean()


def test_noise_is_as_much_louder_in_the_dark_as_the_light_says():
    x = photo("astronaut", 160).clamp(0.02, 0.95)
    x[..., :64], x[..., 64:80] = 0.06, 0.12  # most of it dark, and of two levels
    true = Light(factors=(0.1,), mask=False)
    random = torch.Generator().manual_seed(0)
    y = to_model(0.1 * x + 0.01 * torch.randn(x.shape, generator=random))
    A, noise = of_developed(true.with_noise(0.02), y, ROUNDING)
    light = A.bind(y)
    assert noise is not None

    # In what the photo shows of the dark wall, as it lies there.
    shown = light.developed(y)
    wall = shown[..., 8:-8, 8:56]
    level, measured = float(wall.mean()), float(wall.std())
    at = level * (len(noise.curve) - 1)
    found = noise.std * float(noise.curve[int(at)].lerp(noise.curve[int(at) + 1], at % 1))
    assert found == pytest.approx(measured, rel=0.15)
    bright = noise.std * float(noise.curve[-4])
    assert bright < 0.8 * found


def test_texture_falls_less_with_the_light_than_noise_does():
    y = to_model(0.1 * photo("chelsea", 160))
    bent = Light(mask=False).bind(y)
    bent.set_light(bent.f.data / 2, bent.M.data, torch.full((1, 1, 1, 1), 4.0))
    known = bent.amplification_at(torch.linspace(0, 1, 17))
    assert known[0] > 4 * known[-1]
    loud = 0.02 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    texture, noise = (
        estimate(bent.developed(p), rounding=ROUNDING, known=known) for p in (y, y + loud)
    )
    assert texture.falls + 0.2 < noise.falls < float((known[0] / known[-1]).log())


def test_no_speckle_is_left_in_the_dark():
    y = dark_photo()
    pixels = gdp.restore(y[0], task="lowlight").pixels.view_as(y)
    f = 0.1
    colours, grey = speckle(pixels)
    colours_before, grey_before = speckle(y / f)
    assert colours < 0.4 * colours_before and grey < 0.2 * grey_before


def test_what_looks_for_itself_is_told_how_sure_the_noise_is():
    """Of what is only just dark `auto` brightens more where noise surely is some."""
    pixels, targets = torch.full((1, 3, 256, 256), 0.12), []
    pixels[..., -32:], pixels[..., :64] = 0.395, 0.06
    for sure in (0.5, 0.9):
        spectrum = torch.full((3, 32, 32), 0.015)
        noise = NoiseModel(spectrum, torch.linspace(1.1, 0.9, 17), OPPONENT, sure=sure)
        _, A = take(pixels, FromPhoto(), noise, ROUNDING)
        assert isinstance(A, Light) and A.goal is not None
        targets.append(A.goal.median)
    assert targets[0] < 0.2 < 0.35 < targets[1]
