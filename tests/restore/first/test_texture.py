"""Texture that was taken for noise is sharpened where the task does both, and nothing else is."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data

import gdp
from gdp.compose.configuration import compose_settings
from gdp.compose.parts import build_all
from gdp.picture import Photo, read, to_image, to_model
from gdp.prior.noise import Noise
from gdp.restore.first import texture
from gdp.restore.first.texture import sharpens
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.taking import taken
from gdp.restore.setup import Setup
from operators.auto import FromPhoto
from operators.base import Operator
from operators.blur.diagonal import ReflectBlur
from operators.blur.kernels import gaussian
from operators.blur.soft import SoftBlur
from operators.coded.compressed import Compressed
from operators.identity import Identity
from samplers.restorer import Restored
from tests.photos import astronaut


def setup_of(task: str, **settings: object) -> Setup:
    return build_all(*compose_settings({"task": task, **settings}), {})


def fur(sigma: float, size: int = 128) -> torch.Tensor:
    """A cat's fur [1, 3, size, size] in [0, 1], blurred by a Gaussian."""
    pixels = torch.from_numpy(data.chelsea()).float().permute(2, 0, 1)[None] / 255
    small = F.avg_pool2d(pixels, 2)[..., :size, 60 : 60 + size]
    return ReflectBlur(gaussian(5, sigma))(small)


def saved(pixels: torch.Tensor, file: Any) -> Photo:
    """The photo as a JPEG."""
    levels = (255 * pixels[0].clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(levels).save(file, quality=90)
    return read(file)


def test_what_would_sharpen_is_at_hand_where_a_photo_is_denoised(tmp_path):
    file = tmp_path / "photo.jpg"
    soft = fur(0.6) + 0.02 * Noise([0]).like(fur(0.6))
    photo = saved(soft, file)

    setup = setup_of("enhance")
    seen = taken(photo, setup.operator, setup, file)
    assert type(cast(Compressed, seen.operator).A) is Identity
    assert isinstance(seen.otherwise, Compressed) and type(seen.otherwise.A) is SoftBlur

    # Not where noise is told, where nothing else is asked for, nor where it is sharpened anyhow.
    for task, settings in (
        ("enhance", {"sigma_y": 0.05}),
        ("denoise", {"sigma_y": "auto"}),
        ("sharpen", {}),
    ):
        setup = setup_of(task, **settings)
        assert taken(photo, setup.operator, setup, file).otherwise is None


def test_a_doubtful_photo_is_looked_at_once_with_each_noise(monkeypatch):
    """A look at a soft photo takes seconds: the camera's movement is sought."""
    looks, look = [], FromPhoto.for_photo

    def counted(self: FromPhoto, photo: torch.Tensor, noise: torch.Tensor | float) -> Operator:
        level = float(torch.as_tensor(noise).square().mean().sqrt())
        looks.append((self.sharpens, self.textured, level))
        return look(self, photo, noise)

    monkeypatch.setattr(FromPhoto, "for_photo", counted)
    photo, setup = Photo((255 * fur(1.0)).round() / 255, rounding=0.0011), setup_of("auto")
    seen = taken(photo, setup.operator, setup, None)
    assert seen.otherwise is not None and len(looks) > 1
    assert len(set(looks)) == len(looks)


def test_softened_texture_comes_nearer_to_the_truth(tmp_path):
    """A restoration of it as one with noise goes away from the truth."""
    truth = F.avg_pool2d(to_image(astronaut(160)), 2)
    file = tmp_path / "photo.jpg"
    before = saved(ReflectBlur(gaussian(5, 0.5))(truth), file).pixels - truth
    result = gdp.restore(file, task="enhance", steps=3)
    after = result.pixels[:, 0] - truth
    assert after.square().mean() < 0.9 * before.square().mean()
    assert result.report["noise"]["std"] > 0.005


def test_noise_of_a_camera_in_a_jpeg_is_not_sharpened(tmp_path):
    """Its codec took the colours by which noise is told from texture: it came out 4 dB worse."""
    table = torch.from_numpy(data.coffee()).float().permute(2, 0, 1)[None] / 255
    scene = ReflectBlur(gaussian(7, 0.6))(F.avg_pool2d(table, 2)[..., 4:196, 54:246])
    noise = ReflectBlur(gaussian(5, 0.65))(Noise([0]).like(scene))
    file = tmp_path / "photo.jpg"
    before = saved(scene + 0.008 * noise / noise.std(), file).pixels - scene
    result = gdp.restore(file, task="enhance")
    after = result.pixels[:, 0] - scene
    assert after.square().mean() < 0.7 * before.square().mean()


@pytest.mark.parametrize("task", ["enhance", "auto"])
@pytest.mark.parametrize("std, of_input", [(0.012, 0.6), (0.008, 1.001)])
def test_noise_of_a_soft_photo_is_not_sharpened(std, of_input, task):
    """Little noise that has a colour could be texture that was blurred with the photo."""
    soft = ReflectBlur(gaussian(11, 1.2))(to_image(astronaut(128)))
    noise = ReflectBlur(gaussian(5, 0.6))(Noise([0]).like(soft))
    y = ((soft + std * noise / noise.std()).clamp(0, 1) * 255).round() / 255
    after = gdp.restore(y[0], task=task).pixels.view_as(y) - soft
    assert after.square().mean() < of_input * (y - soft).square().mean()


@pytest.mark.parametrize("task", ["enhance", "auto"])
@pytest.mark.parametrize("sigma, of_input", [(0.8, 0.5), (1.2, 0.75)])
def test_texture_of_a_surely_blurred_photo_is_sharpened(sigma, of_input, task):
    """It was left, or smoothed, where a restoration took all of what noise it seemed to have."""
    scene = F.avg_pool2d(to_image(astronaut(256)), 2) if sigma < 1 else fur(0.3)
    y = (255 * ReflectBlur(gaussian(11, sigma))(scene)).round() / 255
    result = gdp.restore(y[0], task=task)
    after = result.pixels.view_as(y) - scene
    assert after.square().mean() < of_input * (y - scene).square().mean()
    assert result.report["nfe"] < 5  # not denoised before


def test_it_sharpens_what_a_gaussian_has_blurred():
    other = SoftBlur(denoise=True, clear=6.5).for_texture()
    assert other is not None and not other.denoise and other.clear == 0
    assert SoftBlur().for_texture() is None
    y = to_model(ReflectBlur(gaussian(9, 1.0))(fur(0.5)))
    assert isinstance(other.for_photo(y, 0.002), SoftBlur)

    # What has no upper frequencies, and its edges sharpened, is none of a Gaussian's.
    c = torch.fft.rfft2(y)
    radius = torch.hypot(torch.fft.fftfreq(128)[:, None], torch.fft.rfftfreq(128)) * 2
    lens = torch.fft.irfft2(c * (1 + 1.5 * radius) / (1 + (radius / 0.4) ** 12), s=(128, 128))
    assert SoftBlur(sigma=1.0).for_photo(lens, 0.002).offers("undoing")
    assert other.for_photo(lens, 0.002).leaves


@pytest.mark.parametrize(
    "sure, taken_away, certain, share, becomes",
    [
        (0.5, 1.0, False, 1.0, "denoised"),
        (1.0, 1.0, False, 1.0, "denoised"),
        (0.5, 0.2, False, 0.2, "sharpened"),
        (1.0, 0.2, False, 0.2, "left"),
        (0.5, 1.0, False, 0.2, "denoised"),
        (0.5, 1.0, True, 1.0, "sharpened"),
    ],
)
def test_the_restoration_tells(sure, taken_away, certain, share, becomes, monkeypatch):
    monkeypatch.setattr(texture, "noise_share", lambda *a: share)
    x = astronaut(128)
    noise = replace(NoiseModel.white(0.1), sure=sure)
    y = x + 0.2 * Noise([0]).like(x)
    other = SoftBlur(0.5)
    other.found, other.gain, other.certain = 0.3, torch.ones(128, 128), certain
    photo = Photo(to_image(y), rounding=0.001)
    measurement = cast(
        Any,
        SimpleNamespace(name="photo", y=y, otherwise=other, noise=noise, first=None, photo=photo),
    )
    restored = Restored(torch.lerp(y, x, taken_away), Identity().with_noise(0.2))

    found = sharpens(measurement, restored, setup_of("enhance"))
    if becomes == "denoised":
        assert found is None
    else:
        assert found is other if becomes == "sharpened" else found is not None and found.leaves

    # Frames of a film are to be alike.
    film = cast(Any, SimpleNamespace(config={"video": True}))
    assert sharpens(measurement, restored, film) is None
