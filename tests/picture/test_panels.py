"""Pictures to look at."""

import torch
from PIL import Image

from gdp.picture import compare


def test_comparison_of_sizes(tmp_path):
    compare(
        [("input", torch.rand(1, 1, 8, 10)), ("restored", torch.rand(1, 3, 32, 40))],
        tmp_path / "c.png",
    )
    with Image.open(tmp_path / "c.png") as sheet:
        assert sheet.width >= 80 and sheet.height > 32
