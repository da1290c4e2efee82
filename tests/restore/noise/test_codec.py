"""What is found where noise is clipped, or a codec took it."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.phone import STRENGTHS, develop, jpeg
from benchmarks.reality.simulated import public
from gdp.restore.noise import estimate
from gdp.restore.noise.codec import demosaicked, traced, with_errors
from gdp.restore.noise.estimate import estimate as visible
from gdp.restore.noise.level import estimate_sigma
from operators.blur.diagonal import ReflectBlur
from operators.blur.kernels import gaussian
from operators.blur.soft import SoftBlur
from operators.blur.softness import softness
from operators.coded.jpeg import JPEG


def saved(photo, quality):
    """A photo [3, H, W] as its JPEG shows it, [1, 3, H, W]."""
    with Image.open(io.BytesIO(jpeg(photo, quality))) as file:
        return torch.from_numpy(np.array(file)).permute(2, 0, 1)[None] / 255


def test_the_rms_of_a_jpeg_holds_what_its_codec_took():
    """Half of it is not to be seen where noise is measured, for it was rounded to nothing."""
    clean = public("astronaut")[0]
    y, still = (develop(clean, s, 0)[None].float() for s in (STRENGTHS["strong"], None))
    for quality in (75, 85, 95):
        pixels = saved(y[0], quality)
        true = float((pixels - still).square().mean().sqrt())
        assert estimate(pixels).std == pytest.approx(true, rel=0.2)

        # In whatever order the model has the directions of colour.
        model = visible(pixels)
        whole = with_errors(model, pixels, JPEG(quality))
        assert whole.std == pytest.approx(estimate(pixels).std)
        turned = with_errors(
            replace(model, colours=model.colours[[1, 2, 0]]), pixels, JPEG(quality)
        )
        added = (whole.spectrum**2 - model.spectrum**2).sum()
        torch.testing.assert_close((turned.spectrum**2 - model.spectrum**2).sum(), added)


def test_no_codec_no_errors():
    clean = public("chelsea")
    assert traced(clean) is None and traced(clean[:, :1]) is None
    torch.testing.assert_close(estimate(clean).spectrum, visible(clean).spectrum)


@pytest.mark.parametrize("name", ["astronaut", "chelsea"])
def test_noise_of_a_camera_falls_otherwise_than_a_blurred_photo(name):
    clean = public(name)[0].float()
    blurred = ReflectBlur(gaussian(7, 0.9))(clean[None])[0]
    camera = develop(clean.double(), STRENGTHS["mild"], 0).float()
    told = []
    for photo in (blurred, camera):
        pixels = saved(photo, 90)
        A = SoftBlur(0.8)
        A.found = softness(2 * pixels - 1)
        codec = traced(pixels)
        assert codec is not None
        told.append(demosaicked(2 * pixels - 1, A, codec, visible(pixels), estimate_sigma(pixels)))
    assert told == [False, True]

    # Fewer pixels say less of it, and nothing found says nothing.
    few = pixels[..., :32, :32]
    assert not demosaicked(2 * few - 1, A, codec, visible(pixels), estimate_sigma(few))
    sigma = estimate_sigma(pixels)
    assert not demosaicked(2 * pixels - 1, SoftBlur(0.8), codec, visible(pixels), sigma)
