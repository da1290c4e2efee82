"""Old photos: scratches are found, and taken for missing."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from skimage import data

from gdp.picture import is_grey, to_model
from gdp.prior.noise import Noise
from operators.compose import ClosedCompose, Compose
from operators.missing.gray import Gray
from operators.missing.oldphoto import FoundMask, old_photo
from operators.missing.scratches import mask_of_scratches


def scratched_photo():
    """A grey photo with lines across, and where they are."""
    grey = Image.fromarray(data.camera()).resize((160, 160))
    lines = Image.new("L", grey.size)
    draw = ImageDraw.Draw(lines)
    draw.line([(10, 20), (150, 60)], 255, 2)
    draw.line([(90, 5), (100, 100)], 255, 2)
    marks = np.asarray(lines) > 0
    pixels = np.where(marks, 250, np.asarray(grey) * 0.7)
    return torch.from_numpy(pixels / 255).float()[None, None], torch.from_numpy(marks)[None, None]


def test_scratches_are_found():
    pixels, marks = scratched_photo()
    found = mask_of_scratches(pixels) == 0
    assert (found & marks).sum() > 0.8 * marks.sum() and found.float().mean() < 0.12
    assert (
        mask_of_scratches(torch.full((1, 1, 9, 7), 0.5)).all()
        and mask_of_scratches(torch.rand(1, 1, 64, 64)).mean() > 0.5
    )


def test_old_photo_looks_for_scratches():
    pixels, marks = scratched_photo()
    A = old_photo(find=True)
    y = to_model(pixels)
    bound = A.bind(y)
    assert (
        isinstance(bound, Compose) and isinstance(bound.parts()[-1], FoundMask) and bound is not A
    )
    assert bound.describe(y)["scratched"] > 0.01 and bound.pictures(y).keys() == {
        "scratches"
    } == set(A.pictured)
    assert (bound.pinv(y)[:, :1][marks] == 0).float().mean() > 0.8
    assert old_photo(mask=torch.ones(1, 1, 4, 4), find=True).pictured == []


def test_old_photo_keeps_closed_forms():
    mask, photo = torch.ones(1, 1, 8, 8), torch.rand(1, 3, 8, 8, dtype=torch.float64)
    mask[..., 2:4, :] = 0
    A = old_photo(mask, 2)
    assert isinstance(A, ClosedCompose) and isinstance(old_photo(), ClosedCompose)
    y = A.observe(photo)
    torch.testing.assert_close(y, mask * photo.mean(1, keepdim=True), atol=1e-7, rtol=1e-6)
    torch.testing.assert_close(A(A.pinv(y)), y, atol=1e-7, rtol=1e-6)
    assert A.x_shape(y) == (1, 3, 16, 16)


SEPIA = torch.tensor([0.12, 0.0, -0.12]).view(1, 3, 1, 1)


def seen_as(photo, noise=0.0, **settings):
    """The operators of a photo [1, 3, H, W] in [-1, 1], and its y."""
    A = old_photo(colours=False, **settings).for_photo(photo, noise)
    return A.parts(), A.observe(photo)


@pytest.mark.parametrize(
    "settings", [{"find": True}, {"mask": torch.ones(1, 1, 160, 160)}, {"find": False}]
)
def test_a_grey_print_stays_grey(settings):
    """Noise of each channel's own is no colour; where no channel differs, none does in the end."""
    grey = to_model(scratched_photo()[0]).expand(1, 3, -1, -1)
    parts, y = seen_as(grey + 0.06 * Noise([0]).like(grey), 0.06, **settings)
    assert not any(isinstance(part, Gray) for part in parts)
    assert y.shape == grey.shape and is_grey(y)


@pytest.mark.parametrize("contrast", [1.0, 0.5])
def test_a_toned_print_keeps_its_tone(contrast):
    """Also where its contrast comes back: that of its tone was not lost."""
    toned = contrast * to_model(scratched_photo()[0]) + SEPIA
    parts, y = seen_as(toned, find=True)
    faded = parts[-1]
    assert not any(isinstance(part, Gray) for part in parts) and (faded.s < 1) == (contrast < 1)
    kept = (faded.mask == 1).expand_as(y)
    shown = y / faded.s
    torch.testing.assert_close(
        (shown - shown.mean(1, keepdim=True))[kept], SEPIA.expand_as(y)[kept]
    )


def test_colours_are_put_in_where_that_is_asked_for():
    grey = to_model(scratched_photo()[0])
    photo = grey.expand(1, 3, -1, -1)
    for settings in ({"find": True}, {"mask": torch.ones(1, 1, 160, 160)}):
        lost = old_photo(colours=True, **settings).for_photo(photo, 0.0)
        assert any(isinstance(part, Gray) for part in lost.parts())

        # Of a y that is grey because it was made so, x has colours.
        made = old_photo(colours=False, **settings).for_photo(grey, 0.0)
        assert any(isinstance(part, Gray) for part in made.parts())
