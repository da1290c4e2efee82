"""What interpolation leaves in a photo, and what that says of its noise and its softness."""

import pytest
import torch
import torch.nn.functional as F
from skimage import data

import gdp
from gdp.picture import to_model
from operators.blur.soft import SoftBlur
from operators.tools.enlarged import ENLARGED, enlarged, hardly_soft, softly, without_fine
from operators.unchanged import Unchanged


def photo(name: str = "chelsea", side: int = 224) -> torch.Tensor:
    """A part of a public-domain photo at half its size, [1, 3, n, n] in [0, 1] by 8 bits."""
    pixels = torch.from_numpy(getattr(data, name)()[:, 60:].copy()).float()
    small = F.avg_pool2d(pixels.permute(2, 0, 1)[None] / 255, 2)
    return in_8_bits(small[..., :side, :side])


def in_8_bits(pixels: torch.Tensor) -> torch.Tensor:
    return (255 * pixels.clamp(0, 1)).round() / 255


def larger(pixels: torch.Tensor, times: float, mode: str = "bicubic") -> torch.Tensor:
    return in_8_bits(F.interpolate(pixels, scale_factor=times, mode=mode))


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize("times", [1.25, 1.5, 2.9])
def test_how_many_times_is_told(times, mode):
    y = larger(photo(side=120), times, mode)
    assert enlarged(y) == pytest.approx(times, rel=0.03)
    assert hardly_soft(enlarged(y)) == (times == 1.5)


def test_twice_is_told_by_first_differences():
    y = larger(photo(side=120), 2)
    assert enlarged(y) == 2 and without_fine(y)


@pytest.mark.parametrize("name", ["chelsea", "astronaut", "coffee", "rocket"])
def test_photos_as_they_are_and_their_noise(name):
    y = photo(name)
    assert enlarged(y) == 1 and not without_fine(y)
    noisy = y + 0.03 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    assert enlarged(noisy) == 1 and not without_fine(noisy)
    assert enlarged(y[..., :90]) == 1  # too small to tell


def test_what_was_enlarged_a_little_is_not_sharpened():
    y = to_model(larger(photo(side=120), 1.5))
    same = SoftBlur().for_photo(y, 0.002)
    assert isinstance(same, Unchanged) and same.remark(y) == ENLARGED

    # Unless a width is told.
    assert isinstance(SoftBlur(1.0).for_photo(y, 0.002), SoftBlur)


def test_its_texture_is_no_noise():
    """A cat's fur, enlarged: it was taken for noise, and came out 34 dB from itself."""
    y = larger(photo(side=96), 1.5)
    result = gdp.restore(y, task="auto")
    torch.testing.assert_close(result.pixels[0], y, atol=1e-5, rtol=0)
    assert "enlarged 1.5 times" in result.reports[0]["found"][0]


@pytest.mark.parametrize("times", [2.0, 2.5])
def test_what_was_enlarged_more_is_sharpened(times):
    """It was left as it is, for its texture could have been noise."""
    scene = photo(side=160)
    small = F.interpolate(scene, scale_factor=1 / times, mode="bicubic", antialias=True)
    y = in_8_bits(F.interpolate(small, scene.shape[-2:], mode="bilinear"))
    assert softly(enlarged(y)) and not softly(1.5)
    error = gdp.restore(y, task="auto").pixels[0] - scene
    assert error.square().mean() < 0.97 * (y - scene).square().mean()
