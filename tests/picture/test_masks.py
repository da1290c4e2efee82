"""Masks that users paint."""

import numpy as np
import pytest
from PIL import Image

from gdp.picture import read_mask


def test_masks(tmp_path, mask_file):
    keep = read_mask(str(mask_file))
    assert keep.shape == (1, 1, 20, 30) and keep[0, 0, 6, 12] == 0 and keep[0, 0, 0, 0] == 1
    for value, match in ((0, "no white"), (255, "all over")):
        Image.new("L", (4, 4), value).save(tmp_path / "m.png")
        with pytest.raises(ValueError, match=match):
            read_mask(str(tmp_path / "m.png"))
    with pytest.raises(ValueError, match="mask=FILE"):
        read_mask(None)


def test_a_mask_that_looks_inverted_is_told(tmp_path, caplog):
    picture = Image.new("L", (10, 10), 255)
    picture.putpixel((0, 0), 0)
    picture.save(tmp_path / "m.png")
    assert float(read_mask(str(tmp_path / "m.png")).sum()) == 1 and "99 % for repair" in caplog.text


def test_a_mask_painted_on_transparency(tmp_path):
    mask = Image.new("RGBA", (8, 6), (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (2, 2, 5, 4))
    mask.save(tmp_path / "m.png")
    assert float((1 - read_mask(str(tmp_path / "m.png"))).sum()) == 6
    Image.fromarray(np.pad(np.full((2, 3), 65535, np.uint16), 3)).save(tmp_path / "deep.png")
    assert float((1 - read_mask(str(tmp_path / "deep.png"))).sum()) == 6
