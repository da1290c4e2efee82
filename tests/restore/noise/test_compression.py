"""What a JPEG file tells of its own errors, and which degradations take it."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from gdp import restore
from gdp.picture import read, to_image, to_model
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.codec import codec_of
from gdp.restore.noise.compression import (
    BEYOND,
    behind_blur,
    by_block,
    compressed,
)
from gdp.restore.noise.model import OPPONENT
from operators.auto import FromPhoto
from operators.blur.kernels import gaussian, motion
from operators.blur.known import blur
from operators.blur.soft import SoftBlur
from operators.coded.compressed import Compressed, compression_of
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.light.light import Light
from operators.missing.mask import RandomMask
from operators.size.avgpool import AvgPool
from tests.photos import astronaut


def file_of(folder, size=64, quality=40, **settings):
    """A photo saved as a JPEG, and the photo [1, 3, H, W] in [0, 1]."""
    array = data.astronaut()[:size, 150 : 150 + size]
    file = folder / "photo.jpg"
    Image.fromarray(array).save(file, quality=quality, **settings)
    return file, torch.from_numpy(array.copy()).permute(2, 0, 1)[None].float() / 255


def test_jpegs_tell(tmp_path):
    file, _ = file_of(tmp_path)
    assert torch.equal(compression_of(file).steps, JPEG(40).steps)

    Image.open(file).save(tmp_path / "photo.png")
    assert compression_of(tmp_path / "photo.png") is None
    exif = Image.Exif()
    exif[0x0112] = 6
    assert compression_of(file_of(tmp_path, exif=exif)[0]).orientation == 6
    Image.new("CMYK", (16, 16)).save(file)
    assert compression_of(file) is None


def test_which_degradations_take_it(tmp_path):
    file, _ = file_of(tmp_path)
    y, jpeg, noise = to_model(read(file).pixels), compression_of(file), NoiseModel.white(0.0)
    for A in (Identity(), AvgPool(4)):
        C = compressed(A, y, jpeg, noise)
        assert isinstance(C, Compressed) and C.x_shape(y) == A.x_shape(y)

    # What is found by y counts it as white noise; pixels that are kept stay as they are.
    light = compressed(Light(), y, jpeg, noise)
    assert isinstance(light, Light) and light.sigma_y == pytest.approx(jpeg.error(y))
    mask = RandomMask()
    assert compressed(mask, y, jpeg, noise) is mask


def test_an_estimate_holds_the_errors_already(tmp_path):
    file, _ = file_of(tmp_path)
    y, jpeg = to_model(read(file).pixels), compression_of(file)
    noise = NoiseModel.white(1.5 * jpeg.error(y) / 2)
    told, found = (compressed(Identity(), y, jpeg, noise, found) for found in (False, True))
    assert told.rms == pytest.approx(2 * noise.std, rel=1e-3)
    assert found.sigma_y == pytest.approx(2 * noise.std, rel=1e-3)

    # What is told of a blurred or shrunk photo stands for all that it is wrong by.
    small = compressed(AvgPool(2), y, jpeg, noise)
    assert small.sigma_y == pytest.approx(2 * noise.std, rel=1e-3)


def test_a_known_blur_has_white_noise(tmp_path):
    """The tables call a blur's low frequencies exact, and would have them amplified."""
    file, _ = file_of(tmp_path)
    y, jpeg = to_model(read(file).pixels), compression_of(file)
    error = jpeg.error(y)
    for told in (0.5 * error, 3 * error):
        A = blur(gaussian(9, 1.0)).with_noise(told)
        B = compressed(A, y, jpeg, NoiseModel.white(told / 2))
        assert type(B) is type(A) and B.sigma_y == pytest.approx(max(told, error))

    # Nor is what was found of noise by frequency taken, where the codec has left next to nothing.
    found = NoiseModel.white(0.2 * error / 2)
    falling = NoiseModel(
        found.spectrum * torch.linspace(2, 0.1, 32), found.curve, found.colours
    ).scaled(found.std)
    A = blur(gaussian(9, 1.0)).with_noise(2 * found.std).with_whitening(falling.whiten)
    B = compressed(A, y, jpeg, falling, True)
    assert type(B) is type(A) and B.whitening is None
    assert B.sigma_y == pytest.approx(BEYOND * error) and A.whitening is not None

    # A blur that was looked for in the photo is bounded by its noise already.
    soft = SoftBlur(1.0).with_noise(2 * found.std).with_whitening(falling.whiten)
    assert isinstance(compressed(soft, y, jpeg, falling, True), Compressed)
    assert type(compressed(soft, y, jpeg, falling)) is SoftBlur


def test_behind_a_known_blur_noise_is_what_the_blur_shows():
    pixels = to_image(astronaut(128))
    random = torch.Generator().manual_seed(0)
    grey = 0.03 * torch.randn(1, 1, 128, 128, generator=random)
    for kernel in (gaussian(13, 2.0), motion(9, 30.0)):
        A = blur(kernel, "auto")
        y = to_image(A(to_model(pixels))) + grey
        found = behind_blur(A, y, None, None)
        loudest = float(found.spectrum.square().mean((1, 2)).max().sqrt())
        assert found.is_flat and loudest == pytest.approx(0.03 * 3**0.5, rel=0.2)

        # A codec adds its errors, and a std that is told is the least that is taken.
        coded = behind_blur(A, to_image(JPEG(30)(to_model(y))), JPEG(30), None)
        assert float(coded.spectrum.min()) > 0.003 and coded.std > 0.01
        for std in (0.01, 0.1):
            told = behind_blur(A, y, None, std).spectrum
            assert std <= float(told.min()) and float(told.max()) <= 1.01 * 3**0.5 * std
    assert behind_blur(blur(gaussian(3, 0.3)), pixels, None, None) is None


def test_a_jpeg_with_noise_is_deblurred_without_patterns(tmp_path):
    """Its noise has gone from the finest frequencies and from the colours, where it was found."""
    x, kernel = astronaut(128), gaussian(13, 1.5)
    noise = 0.04 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    pixels = to_image(blur(kernel)(x) + noise).clamp(0, 1)
    file, k = tmp_path / "photo.jpg", tmp_path / "k.npy"
    array = (255 * pixels[0]).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(array).save(file, quality=90)
    np.save(k, kernel.numpy())
    for sigma_y in ("auto", 0.02):
        settings = {"operator.kernel": str(k), "sigma_y": sigma_y, "reference": to_image(x)}
        report = restore(file, task="deblur", **settings).reports[0]
        assert report["scores"]["psnr"] > report["scores_of_input"]["psnr"] + 1


def test_traces_of_a_codec_are_asked_where_more_than_noise_is_undone(tmp_path):
    file, _ = file_of(tmp_path, size=96)
    jpeg, photo = compression_of(file), read(file)
    for A in (AvgPool(2), blur(gaussian(9, 1.0))):
        found = codec_of(photo, None, A)
        assert found is not None and torch.equal(found.steps, jpeg.steps)
    assert codec_of(photo, None, Identity()) is None and codec_of(photo, None, FromPhoto()) is None
    assert codec_of(photo, file, Identity()) is not None
    assert codec_of(photo._replace(rounding=0.0), None, AvgPool(2)) is None


def test_a_png_of_a_jpeg_is_restored_as_the_jpeg(tmp_path):
    file, _ = file_of(tmp_path, size=96, quality=60)
    with Image.open(file) as picture:
        picture.save(tmp_path / "photo.png")
    results = [
        restore(photo, task="sr4", **{"operator.r": 2})
        for photo in (file, file.read_bytes(), tmp_path / "photo.png", np.asarray(Image.open(file)))
    ]
    pixels = [result.pixels for result in results]
    assert all(torch.equal(pixels[0], other) for other in pixels[1:2])
    assert all(torch.allclose(pixels[0], other, atol=1e-4) for other in pixels[2:])
    assert results[1].reports[0]["input"] == "photo"
    plain = restore(tmp_path / "photo.png", task="sr4", jpeg="off", **{"operator.r": 2}).pixels
    assert not torch.allclose(plain, pixels[2], atol=1e-2)


def test_noise_by_block_has_the_power_that_it_has():
    spectrum = torch.rand(3, 32, 32) * 0.01 + 0.05
    for subsampling in (0, 2):
        std = by_block(NoiseModel(spectrum, torch.ones(17), OPPONENT), JPEG(50, subsampling))
        assert std.shape == (3, 8, 8)
        assert std.min() >= 0.1 and std.max() <= 0.12


def test_grey_noise_stays_grey_in_a_grey_file(tmp_path):
    """Luma weighs colours otherwise than grey does, which put two fifths of it into chroma."""
    file = tmp_path / "grey.jpg"
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(file, quality=90)
    jpeg, spectrum = JPEG(tables=str(file)), torch.zeros(3, 32, 32)
    spectrum[0] = 0.1
    std = by_block(NoiseModel(spectrum, torch.ones(17), OPPONENT), jpeg)
    assert std[0].min() > 0.199 and std[1:].max() < 1e-5
    assert by_block(NoiseModel(spectrum, torch.ones(17), OPPONENT), JPEG(90))[1:].min() > 0.04


@pytest.mark.parametrize("level", [0.05, 0.1])
def test_a_noisy_grey_jpeg_is_denoised(level, tmp_path):
    clean = np.asarray(Image.fromarray(data.camera()).resize((128, 128), Image.LANCZOS)) / 255
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    file = tmp_path / "noisy.jpg"
    Image.fromarray((255 * (clean + level * noise).clip(0, 1)).round().astype(np.uint8)).save(
        file, quality=90
    )
    before = np.asarray(Image.open(file)) / 255
    after = restore(file, task="auto").pixels[0, 0, 0].numpy()
    errors = [np.square(picture - clean).mean() for picture in (before, after)]
    assert errors[1] < errors[0] / 2.5, errors


@pytest.mark.parametrize("orientation", [4, 6])
def test_noise_by_block_lies_as_the_file_does(orientation):
    """Rows and columns of the photo's noise change places where a quarter turn does it."""
    spectrum = torch.full((3, 32, 32), 0.05)
    spectrum[:, 16:] = 0.1  # of high frequencies from row to row
    noise, jpeg = NoiseModel(spectrum, torch.ones(17), OPPONENT), JPEG(50, 0)
    jpeg.orientation = orientation
    std = by_block(noise, jpeg)
    rows, columns = std[:, 7, 0], std[:, 0, 7]
    assert (rows > 1.5 * columns).all() if orientation == 4 else (columns > 1.5 * rows).all()


def test_a_compressed_photo_gets_nearer_to_the_truth(tmp_path):
    file, photo = file_of(tmp_path, size=48)
    before = (read(file).pixels - photo).square().mean()
    after = restore(file, task="denoise", sigma_y=0.0, steps=4).pixels[:, 0]
    assert (after - photo).square().mean() < 0.95 * before

    # The file could be of the result.
    A, y = compression_of(file), to_model(read(file).pixels)
    torch.testing.assert_close(A.project(to_model(after), y), to_model(after), atol=1e-3, rtol=0)


def test_it_can_be_turned_off(tmp_path):
    file, _ = file_of(tmp_path, size=16)
    sigmas = [
        restore(file, task="sr4", jpeg=jpeg, steps=1).report["sigma_y"] for jpeg in ("off", "auto")
    ]
    assert sigmas[0] < 0.002 < sigmas[1]
    with pytest.raises(ValueError, match="jpeg=90"):
        restore(file, task="sr4", jpeg=90)


@pytest.mark.parametrize(
    "task, quality, share", [("jpeg", 8, 0.9), ("jpeg", 20, 0.9), ("jpeg", 60, 0.9), ("auto", 8, 1)]
)
def test_a_jpeg_of_all_its_colours_ends_above_its_file(tmp_path, task, quality, share):
    file, x = file_of(tmp_path, 96, quality, subsampling=0)
    before = (read(file).pixels - x).square().mean()
    after = (restore(file, task=task).pixels[0] - x).square().mean()
    assert after < share * before
