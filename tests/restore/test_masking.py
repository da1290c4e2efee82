"""The mask of a photo: never turned against it, its namesake of a folder, grey in part."""

import numpy as np
import pytest
from PIL import Image

import gdp
from tests.test_cli import cli  # noqa: F401

SETTINGS = {"task": "inpaint", "steps": 1, "lowres": "none"}


def photo_and_mask(height=20, width=28):
    """A photo of noise, uint8, and a mask with a hole at its upper right."""
    photo = np.random.default_rng(0).integers(60, 200, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[2:6, width - 8 : width - 3] = 255
    return photo, mask


def test_a_turned_mask_is_refused():
    photo, mask = photo_and_mask()
    with pytest.raises(ValueError, match="the mask of photo is 20x28, the photo 28x20; turn"):
        gdp.restore(photo, mask=mask.T, **SETTINGS)


def test_a_mask_lies_as_the_sensor_does(tmp_path):
    photo, mask = photo_and_mask()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    Image.fromarray(np.rot90(photo)).save(tmp_path / "x.png", exif=exif)
    Image.fromarray(np.rot90(mask)).save(tmp_path / "m.png")
    result = gdp.restore(tmp_path / "x.png", mask=tmp_path / "m.png", **SETTINGS).image
    changed = (np.asarray(result) != photo).any(-1)
    assert changed[mask > 0].mean() > 0.8 and not changed[mask == 0].any()


def test_grey_of_a_mask_is_how_much_is_replaced():
    photo, mask = photo_and_mask()
    hard = gdp.restore(photo / 255.0, mask=mask, **SETTINGS).image
    mask[mask > 0] = 51
    soft = gdp.restore(photo / 255.0, mask=mask, **SETTINGS).image
    expected = 0.8 * photo / 255 + 0.2 * hard
    np.testing.assert_allclose(soft[mask > 0], expected[mask > 0], atol=1e-4)
    np.testing.assert_allclose(soft[mask == 0], photo[mask == 0] / 255, atol=1e-6)


def test_a_folder_of_masks(cli, tmp_path):  # noqa: F811
    photo, mask = photo_and_mask()
    for folder in ("photos", "masks"):
        (tmp_path / folder).mkdir()
    masks = {"a": mask, "b": mask[::-1, ::-1]}
    for name, one in masks.items():
        Image.fromarray(photo).save(tmp_path / "photos" / f"{name}.png")
        Image.fromarray(one).save(tmp_path / "masks" / f"{name}.png")
    words = [f"{k}={v}" for k, v in SETTINGS.items()]
    code, _, err = cli("input=photos", "mask=masks", "output=o", *words)
    assert code == 0, err
    for name, one in masks.items():
        changed = (np.asarray(Image.open(f"o/{name}.png").convert("RGB")) != photo).any(-1)
        assert changed[one > 0].any() and not changed[one == 0].any()

    # Another mask is another restoration.
    Image.fromarray(mask).save(tmp_path / "masks" / "b.png")
    code, _, err = cli("input=photos", "mask=masks", "output=o", *words)
    assert code == 2 and "o/b.png exists" in err

    (tmp_path / "masks" / "b.png").unlink()
    code, _, err = cli("input=photos", "mask=masks", "output=o2", *words)
    assert code == 1 and "no picture named b in masks" in err
