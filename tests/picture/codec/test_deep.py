"""Pictures of 16 bits a channel and of floats."""

import numpy as np
import torch
from PIL import Image

from benchmarks.odd_files import encoded
from gdp.picture.codec.png16 import png16
from tests.picture.codec.files import DEEP, tiff


def test_sixteen_bits_are_sixteen(photo):
    want = torch.from_numpy((DEEP[..., :3] / 65535).astype(np.float32)).permute(2, 0, 1)[None]
    for data, name in (
        (png16(DEEP[..., :3]), "x.png"),
        (tiff(DEEP[..., :3]), "x.tif"),
        (tiff(DEEP[..., :3], byteorder=">"), "x.tif"),
    ):
        torch.testing.assert_close(photo(data, name).pixels, want)
    torch.testing.assert_close(
        photo(png16(DEEP[..., :1])).pixels, want[:, :1].expand(-1, 3, -1, -1)
    )
    twelve = encoded(Image.fromarray(DEEP[..., 0] >> 4), "PNG")
    assert photo(twelve).depth == 16
