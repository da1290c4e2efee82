"""Several pictures of one scene: read together, refused where they do not fit."""

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from gdp.picture import write
from gdp.picture.codec.exif import exposure
from gdp.picture.scene import read_scene, shift
from tests.operators.light.photos import photo


@pytest.fixture
def exposures(tmp_path):
    """Two files of one scene."""
    x = photo()
    for name, f in (("long", 1.5), ("short", 0.4)):
        write((f * x).clamp(max=1), tmp_path / f"{name}.png")
    return [tmp_path / "long.png", tmp_path / "short.png"]


def test_scene(exposures, tmp_path):
    scene = read_scene(exposures)
    assert scene.pixels.shape == (1, 6, 96, 96)
    with pytest.raises(ValueError, match="2 to 7"):
        read_scene(exposures[:1])
    write(photo(size=90), tmp_path / "small.png")
    with pytest.raises(ValueError, match="different sizes"):
        read_scene([*exposures, tmp_path / "small.png"])
    with Image.open(exposures[1]) as picture:
        Image.fromarray(np.roll(np.asarray(picture), (5, -9), (0, 1))).save(tmp_path / "moved.png")
    with pytest.raises(ValueError, match="-9 pixels to the right and 5 down"):
        read_scene([exposures[0], tmp_path / "moved.png"])


def test_files_tell_their_exposures(exposures, tmp_path):
    assert read_scene(exposures).stops is None
    files = [tmp_path / "long.jpg", tmp_path / "short.jpg"]
    for file, png, seconds, iso in zip(files, exposures, (0.25, 1 / 60), (100, 200), strict=True):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif).update({0x829A: seconds, 0x829D: 4.0, 0x8827: iso})
        with Image.open(png) as picture:
            picture.save(file, exif=exif)
    stops = read_scene(files).stops
    assert stops[0] - stops[1] == pytest.approx(np.log2(0.25 * 100 / (200 / 60)), abs=1e-3)
    assert read_scene([files[0], exposures[1]]).stops is None
    assert exposure(b"Exif\0\0junk") is None and exposure(None) is None


def test_shift_of_unlike_pictures_is_not_believed():
    assert shift(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)) == (0, 0)
    assert shift(torch.rand(1, 3, 2, 2), torch.rand(1, 3, 2, 2)) == (0, 0)
