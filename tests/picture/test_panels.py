"""Pictures to look at."""

import torch
from PIL import Image

from gdp.picture import compare
from gdp.picture.panels import bands


def test_comparison_of_sizes(tmp_path):
    compare(
        [("input", torch.rand(1, 1, 8, 10)), ("restored", torch.rand(1, 3, 32, 40))],
        tmp_path / "c.png",
    )
    with Image.open(tmp_path / "c.png") as sheet:
        assert sheet.width >= 80 and sheet.height > 32


def test_of_exposures_the_one_in_the_middle_is_shown():
    stack = torch.arange(9.0).view(1, 9, 1, 1).expand(1, 9, 2, 2)
    assert bands(stack, scene=True).flatten(1)[0, ::4].tolist() == [3, 4, 5]
    assert bands(stack[:, :6], scene=True).flatten(1)[0, ::4].tolist() == [0, 1, 2]
    assert bands(stack).flatten(1)[0, ::4].tolist() == [7, 4, 1]  # bands of a spectrum
    assert bands(stack[:, :3], scene=True).shape == (1, 3, 2, 2)
