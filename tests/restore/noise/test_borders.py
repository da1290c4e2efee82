"""Borders and captions of noisy photos: the noise beside them is found, and they stay."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from gdp import restore
from gdp.picture import read
from gdp.restore.noise import estimate
from gdp.restore.noise.level import estimate_sigma

LEVEL, TOP = 0.05, 96  # of the noise; rows of the photo, below which there is a caption


def captioned(suffix):
    """A photo with noise over a strip of one colour: clean, noisy and its file's bytes."""
    clean = np.asarray(Image.fromarray(data.astronaut()).resize((144, 144), Image.LANCZOS)) / 255
    y = (clean + LEVEL * np.random.default_rng(0).standard_normal(clean.shape)).clip(0, 1)
    for p in (clean, y):
        p[TOP:] = (0.5, 0.3, 0.6)
    buffer = io.BytesIO()
    whole = Image.fromarray((255 * y).round().astype(np.uint8))
    whole.save(buffer, {"jpg": "jpeg"}.get(suffix, suffix), quality=95, subsampling=0)
    return clean, y, buffer.getvalue()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_noise_beside_a_caption_is_found_and_goes(suffix, tmp_path):
    clean, _, content = captioned(suffix)
    file = tmp_path / f"photo.{suffix}"
    file.write_bytes(content)
    y = read(file).pixels
    assert estimate(y).std == pytest.approx(LEVEL, rel=0.2)
    assert estimate_sigma(y) == pytest.approx(LEVEL, rel=0.25)

    # The photo is denoised, its caption as it was.
    x = restore(file, task="denoise").pixels[0]
    before, after = (p[0].permute(1, 2, 0).numpy() for p in (y, x))
    error, error_before = (np.square(p - clean)[:TOP].mean() for p in (after, before))
    assert error < error_before / 2.5
    assert np.array_equal(after[TOP + 16 :], before[TOP + 16 :])
