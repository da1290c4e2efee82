"""noise=FILE: a picture of something even, or a saved model; whatever holds no noise is refused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data

from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.choose import noise_of
from gdp.restore.noise.sources import read
from tests.test_cli import cli  # noqa: F401

PHOTOS = (
    *("astronaut", "camera", "chelsea", "coffee", "coins", "rocket", "moon", "page", "clock"),
    *("brick", "grass", "gravel", "immunohistochemistry", "cell", "microaneurysms"),
)


def saved(pixels, file, **settings):
    """The file of a picture: an array as skimage has it, or a tensor [1, 3, H, W] in [0, 1]."""
    if isinstance(pixels, torch.Tensor):
        pixels = (pixels[0].clamp(0, 1) * 255).round().byte().movedim(0, -1).numpy()
    Image.fromarray(pixels).save(file, **settings)
    return file


def flat(std, width=0.0, darker=0.0, size=(96, 128), seed=0):
    """A grey card: noise of a std that is smooth over `width` pixels, corners that are darker."""
    z = Noise([seed]).like(torch.empty(1, 3, *size))
    if width:
        n = torch.arange(-int(4 * width), int(4 * width) + 1)
        taps = torch.exp(-0.5 * (n / width) ** 2).expand(3, 1, 1, -1)
        for kernel in (taps, taps.mT):
            far = (kernel.shape[-2] // 2, kernel.shape[-1] // 2)
            padded = F.pad(z, (far[1], far[1], far[0], far[0]), mode="circular")
            z = F.conv2d(padded, kernel, groups=3)
    down, across = (torch.linspace(-1, 1, n) for n in size)
    light = 0.6 * (1 - darker * (down[:, None] ** 2 + across**2) / 2)
    return light + std * z / z.std() * light.sqrt()


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_is_no_noise(name, tmp_path):
    file = saved(np.asarray(getattr(data, name)()), tmp_path / "photo.png")
    with pytest.raises(ValueError, match=r"photo\.png is no picture of something even.*grey card"):
        read(file)


@pytest.mark.parametrize("noisy", [0.05, 0.1])
def test_neither_is_a_noisy_photo(noisy, tmp_path):
    pixels = torch.from_numpy(data.astronaut()[:128, 150:278]).movedim(-1, 0)[None] / 255
    for name, quality in (("photo.png", None), ("photo.jpg", 95)):
        settings = {} if quality is None else {"quality": quality}
        file = saved(pixels + noisy * Noise([0]).like(pixels), tmp_path / name, **settings)
        with pytest.raises(ValueError, match="is no picture of something even"):
            read(file)


@pytest.mark.parametrize("std", [0.004, 0.02, 0.1])
@pytest.mark.parametrize("width", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("darker", [0.0, 0.6])
def test_a_grey_card_is_taken(std, width, darker, tmp_path):
    for seed, size in enumerate([(40, 40), (64, 80), (96, 128), (256, 200)]):
        card = flat(std, width, darker, size, seed)
        assert read(saved(card, tmp_path / "card.png")).std > 0
        assert read(saved(card, tmp_path / "card.jpg", quality=85)).std > 0


def test_what_is_not_sure_has_a_word(tmp_path, caplog):
    """Of a photo that is noisy and coarsely compressed not much is left to tell it by."""
    pixels = torch.from_numpy(data.astronaut()[:128, 150:278]).movedim(-1, 0)[None] / 255
    file = saved(pixels + 0.05 * Noise([0]).like(pixels), tmp_path / "photo.jpg", quality=75)
    assert read(file).std > 0 and "photo.jpg may show more than something even" in caplog.text
    caplog.clear()
    assert read(saved(flat(0.05), tmp_path / "card.png")).std > 0 and not caplog.records


def test_hot_pixels_are_no_picture(tmp_path):
    dark = 0.03 + 0.01 * Noise([0]).like(torch.empty(1, 3, 128, 128))
    dark[..., 5::37, 3::41] = 0.8
    assert read(saved(dark, tmp_path / "cap.png")).std > 0


def test_a_card_gives_its_noise(tmp_path):
    card = flat(0.05)
    assert read(saved(card, tmp_path / "card.png")).std == pytest.approx(
        float((card - card.mean((-2, -1), keepdim=True)).std()), rel=0.1
    )


SPOILT = {
    "nan": ("spectrum", lambda p: p * float("nan"), "its spectrum is not above 0"),
    "below 0": ("spectrum", lambda p: -p, "its spectrum is not above 0"),
    "nothing": ("spectrum", lambda p: 0 * p, "its spectrum is not above 0"),
    "huge": ("spectrum", lambda p: 1e6 * p, "more than 1 of full scale"),
    "no curve": ("curve", lambda p: 0 * p, "its curve is not above 0"),
    "nan in the curve": ("curve", lambda p: p / 0 * 0, "its curve is not above 0"),
    "no colours": ("colours", lambda p: 0 * p, "not three directions at right angles"),
    "one colour": ("colours", lambda p: p[:1].expand(3, 3).clone(), "not three directions"),
    "another shape": ("curve", lambda p: p[:5].clone(), "of other shapes"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_model_that_is_spoilt_is_refused(name, tmp_path):
    part, spoil, told = SPOILT[name]
    file = tmp_path / "camera.safetensors"
    NoiseModel.white(0.05).save(file)
    assert read(file).std == 0.05

    parts = load_file(file)
    save_file({**parts, part: spoil(parts[part])}, file)
    with pytest.raises(ValueError, match=rf"camera\.safetensors holds.*{told}.*NoiseModel\.save"):
        read(file)


def test_jpeg_is_of_jpeg_files(tmp_path):
    file = saved(data.chelsea(), tmp_path / "cat.png")
    with pytest.raises(ValueError, match=r"needs a photo that is a JPEG file.*cat\.png is not"):
        noise_of(torch.rand(1, 3, 32, 32), "jpeg", file=file)


def test_on_the_command_line(cli, tmp_path):  # noqa: F811
    saved(data.chelsea()[:64, :64], tmp_path / "cat.png")
    words = ("task=denoise", "sigma_y=auto", "input=cat.png", "steps=1", "output=o")
    for noise in ("cat.png", "jpeg"):
        code, _, err = cli(*words, f"noise={noise}")
        assert code == 2 and not (tmp_path / "o/cat.png").exists()
        assert err.count("error: noise=") == 1 and "Traceback" not in err
