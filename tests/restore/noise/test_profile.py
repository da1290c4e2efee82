"""What a raw file's NoiseProfile says of its noise, and what an estimate makes of it."""

import pytest
import torch
from PIL import Image, TiffImagePlugin

from gdp.picture import picture_of
from gdp.prior.noise import Noise
from gdp.restore.noise import estimate
from gdp.restore.noise.choose import noise_of
from gdp.restore.noise.profile import of_profile, profile_of

PAIRS = (2e-3, 1e-5, 2e-3, 1e-5, 2e-3, 1e-5)


def encoded(x):
    """sRGB of linear light."""
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp_min(1e-9) ** (1 / 2.4) - 0.055)


def sensor(noise=1.0):
    """An even ramp of light with the noise of PAIRS, in sRGB, [1, 3, 192, 192]."""
    light = torch.linspace(0.02, 0.8, 192).expand(1, 3, 192, 192)
    std = (PAIRS[0] * light + PAIRS[1]).sqrt()
    return encoded(light + noise * std * Noise([0]).like(light)).clamp(0, 1)


@pytest.fixture
def file(tmp_path):
    """A TIFF that states PAIRS."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[51041] = PAIRS
    tags.tagtype[51041] = 12  # DOUBLE
    path = tmp_path / "photo.tif"
    picture_of(sensor()).save(path, tiffinfo=tags)
    return path


def test_a_profile_is_read(file, tmp_path):
    torch.testing.assert_close(profile_of(file), torch.tensor(PAIRS).double().view(3, 2))
    plain = tmp_path / "plain.tif"
    picture_of(sensor()).save(plain)
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\0\xff\xff\xff\xff")
    png = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(png)
    assert [profile_of(f) for f in (plain, broken, png)] == [None] * 3


def test_it_is_the_noise_of_such_a_sensor(file):
    """By brightness, against what was drawn; in the dark sRGB is no straight line over noise."""
    model, clean, noisy = noise_of(sensor(), "profile", file=file), sensor(0), sensor()
    said = model.std * model.gain(clean)
    for columns in (slice(20, 60), slice(80, 110), slice(140, 190)):
        drawn = (noisy - clean)[..., columns].square().mean().sqrt()
        told = said[..., columns].square().mean().sqrt()
        assert float(told) == pytest.approx(float(drawn), rel=0.1)


def test_it_bounds_an_estimate(file):
    """Texture in place of noise: an estimate finds much, the camera cannot have drawn it."""
    grey = 0.5 + 0.15 * Noise([1]).like(torch.empty(1, 1, 192, 192))
    texture = grey.expand(1, 3, -1, -1).clamp(0, 1)
    free, held = estimate(texture), noise_of(texture, file=file)
    stated = of_profile(profile_of(file))
    assert free.std > 0.1 and held.std < 2 * stated.std < 0.1
    assert torch.equal(held.curve, stated.curve)

    # What is within it stays: half of the noise is found as half of it.
    less = noise_of(sensor(0.5), file=file)
    true = float((sensor(0.5) - sensor(0)).square().mean().sqrt())
    found = less.std * float(less.gain(sensor(0)).square().mean().sqrt())
    assert found == pytest.approx(true, rel=0.2)


def test_where_there_is_none():
    with pytest.raises(ValueError, match=r"NoiseProfile.*noise=auto"):
        noise_of(sensor(), "profile")
