"""A JPEG that was saved again without loss shows its quality."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from operators.coded.jpeg import JPEG
from operators.coded.tables import FACTORS, standard_tables
from operators.coded.traces import trace_of

PHOTO = Image.fromarray(data.coffee()[:200, 100:340])


def saved_again(picture, quality, subsampling):
    """What a decoder gives of a picture in a JPEG file."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(stream)


def pixels_of(picture):
    """[1, 3, H, W] in [0, 1]."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("quality", [10, 30, 60, 85])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_quality_and_subsampling_are_found(quality, subsampling):
    found = trace_of(pixels_of(saved_again(PHOTO, quality, subsampling)))
    assert found.quality == quality and found.factors == FACTORS[subsampling]
    assert torch.equal(found.steps, standard_tables(quality))


def test_a_picture_that_was_no_jpeg_shows_none():
    random = np.random.default_rng(0)
    noisy = np.asarray(PHOTO.resize((171, 143))) + random.normal(0, 2, (143, 171, 3))
    assert trace_of(torch.from_numpy(noisy.clip(0, 255)).permute(2, 0, 1)[None] / 255) is None
    assert trace_of(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))) is None
    assert trace_of(torch.zeros(1, 3, 5, 40)) is None

    # Blocks that do not begin at the corner are no trace either.
    moved = saved_again(PHOTO, 30, 2).crop((3, 2, 203, 162))
    assert trace_of(pixels_of(moved)) is None


def test_the_photos_own_tables_in_a_png(tmp_path):
    saved_again(PHOTO, 30, 2).save(tmp_path / "again.png")
    A = JPEG(tables="input").for_file(tmp_path / "again.png")
    y = 2 * pixels_of(Image.open(tmp_path / "again.png")) - 1
    assert A.describe(y)["quality_found"] == 30
    assert float((A(y) - y).square().mean().sqrt()) < 0.02
    assert "quality_found" not in JPEG(30).describe(y)

    # A grey one, and one that is turned
    grey = saved_again(PHOTO.convert("L"), 20, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    grey.save(tmp_path / "grey.png", exif=exif)
    A = JPEG(tables=str(tmp_path / "grey.png"))
    assert A.found == 20 and A.orientation == 6


def test_what_shows_none_is_refused_with_a_remedy(tmp_path):
    PHOTO.resize((90, 70)).save(tmp_path / "sharp.png")
    with pytest.raises(ValueError, match=r"no clear trace.*operator\.quality=30"):
        JPEG(tables="input").for_file(tmp_path / "sharp.png")
    Image.fromarray(np.zeros((16, 16), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"no trace of JPEG \(it is of the kind I;16"):
        JPEG(tables=str(tmp_path / "deep.png"))
