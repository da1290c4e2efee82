"""Casts and haze are mended without being asked for where they are sure, and left alone else."""

import pytest
import torch
from skimage import data

from operators.auto import FromPhoto
from operators.light.sure.cast import sure_cast
from operators.light.sure.haze import sure_haze
from operators.light.sure.mending import mending
from operators.light.sure.rises import rise
from operators.unchanged import Unchanged

WARM = torch.tensor([1.19, 0.99, 0.84]).view(1, 3, 1, 1)


def scene():
    """Grey walls, dark and bright, things of all colours, and a black: [1, 3, 192, 192]."""
    random = torch.Generator().manual_seed(3)
    grey = torch.rand(1, 1, 24, 24, generator=random) * 0.6 + 0.1
    colours = 1 + (torch.rand(1, 3, 24, 24, generator=random) - 0.5)
    coloured = torch.rand(1, 1, 24, 24, generator=random) < 0.3
    blocks = torch.where(coloured, grey * colours, grey)
    return blocks.repeat_interleave(8, 2).repeat_interleave(8, 3)


def skimage(name):
    return torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None] / 255


def test_rise():
    assert rise(0.0, 1.0) == 0 and rise(1.0, 1.0) == 0.5 and rise(3.0, 1.0) > 0.99


@pytest.mark.parametrize("gains", [WARM, WARM.flip(1)], ids=["warm", "cold"])
def test_a_cast_over_a_scene_with_grey_in_it_is_found(gains):
    x = scene()
    assert sure_cast(x).share < 0.01

    found = sure_cast(x * gains)
    goal = gains.flatten() / gains.log().mean().exp()
    assert found.share > 0.4
    torch.testing.assert_close(found.gains, goal, atol=0.04, rtol=0.0)

    # What is sure of it goes, and the brightness stays.
    mended = mending(x * gains)
    assert mended is not None and mended.words[0].startswith("take its colour cast away by")
    after, before = (p.mean((0, 2, 3)).log() for p in (mended(x * gains), x * gains))
    assert after.std() < 0.7 * before.std()
    assert after.mean() == pytest.approx(float(before.mean()), abs=0.01)


def test_what_is_of_one_colour_by_itself_has_no_cast():
    """A wall, a green lawn, a sunset whose light changes with its brightness."""
    grey = scene().mean(1, keepdim=True)
    wall = grey * WARM
    lawn = scene() * torch.tensor([0.8, 1.2, 0.8]).view(1, 3, 1, 1)
    sunset = scene() ** torch.tensor([0.6, 1.0, 1.6]).view(1, 3, 1, 1)
    for photo in (wall, lawn, sunset, scene()):
        assert sure_cast(photo).share < 0.05
    assert sure_cast(torch.zeros(1, 3, 32, 32)).share == 0


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_photos_that_are_as_they_should_be(name):
    assert mending(skimage(name)) is None


def test_haze():
    x = skimage("astronaut")
    grey = 0.7 * torch.lerp(x.mean(1, keepdim=True), x, 0.4)
    t = torch.linspace(0.02, 0.75, x.shape[-2]).view(1, 1, -1, 1)
    foggy = torch.lerp(torch.tensor(0.6), grey, t)
    assert sure_haze(foggy) > 0.5 and sure_haze(x) < 0.01

    # Fog that white shines through is snow, or paper; what is pale everywhere alike is a wall.
    assert sure_haze(torch.lerp(torch.tensor(1.0), grey, t)) < 0.05
    assert sure_haze(torch.lerp(torch.tensor(0.6), grey, 0.35)) < 0.05

    # A part of a photo shows too few things.
    assert sure_haze(foggy[..., :128]) == 0

    mended = mending(foggy)
    assert mended is not None and "haze" in mended.whole
    assert mended(foggy).std() > 1.3 * foggy.std()
    assert mended.steady().haze is None


def test_auto_says_and_does_it():
    photo = 2 * (scene() * WARM) - 1
    A = FromPhoto().for_photo(photo, 0.002)
    assert isinstance(A, Unchanged) and A.mending is not None
    assert A.findings[1].startswith("to do: take its colour cast away by")
    assert "colour cast (task=whitebalance)" not in " ".join(A.findings)
    assert A.with_noise(0.1).mending is A.mending

    good = FromPhoto().for_photo(2 * scene() - 1, 0.002)
    assert good.mending is None and "nothing to do" in good.findings[1]
