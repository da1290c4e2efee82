"""What a photo suffers from is found by looking at it, said, and nothing else is undone."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.prior.noise import Noise
from operators.auto import WIDE, FromPhoto
from operators.blur.diagonal import ReflectBlur
from operators.blur.fall import FULL
from operators.blur.kernels import disk, gaussian
from operators.blur.soft import SoftBlur
from operators.identity import FAINT, SEEN, SHARE, Identity, taken
from operators.light.darkness import lack
from operators.light.light import Light
from operators.unchanged import Unchanged
from tests.operators.blur.photos import photo


def sharp(size=192):
    """A photo with edges from one pixel to the next, [1, 3, size, size]."""
    return photo(3 * size)[..., ::3, ::3]


def test_a_good_photo_is_left_alone():
    A = FromPhoto().for_photo(sharp(), 0.002)
    assert isinstance(A, Unchanged) and A.leaves
    H, W = sharp().shape[-2:]
    assert A.findings[0].startswith(f"found: {W}x{H}, noise of 0.001")
    assert A.findings[1] == "nothing to do: the photo is left as it is"


def test_noise_alone():
    y = sharp() + 0.1 * Noise([0]).like(sharp())
    A = FromPhoto().with_noise(0.1).for_photo(y, 0.1)
    assert type(A) is Identity and A.sigma_y == 0.1
    assert "take the noise away" in A.findings[1] and "sharpen" not in A.findings[1]


def test_of_noise_that_is_hardly_seen_some_is_left():
    for level, share in ((0.9 * FAINT, SHARE), (1.1 * SEEN, 1.0)):
        y = sharp() + level * Noise([0]).like(sharp())
        A = FromPhoto().for_photo(y, level)
        assert type(A) is Identity and A.takes == share
        assert A.bind(y).takes == share
    assert SHARE < taken((FAINT + SEEN) / 2) < 1

    # A task that looks for itself does likewise, whether the photo may be soft or not.
    both = SoftBlur(denoise=True, clear=1e9)
    for A in (both, both.denoising()):
        same = A.for_photo(sharp() + 0.9 * FAINT * Noise([0]).like(sharp()), 0.9 * FAINT)
        assert type(same) is Identity and same.takes == SHARE


def test_softness():
    y = ReflectBlur(gaussian(9, 0.8))(sharp())
    A = FromPhoto().for_photo(y + 0.002 * Noise([0]).like(y), 0.002)
    assert isinstance(A, SoftBlur) and A.found == pytest.approx(0.8, abs=0.3)
    assert "soft by" in A.findings[0] and "sharpen" in A.findings[1]


@pytest.mark.parametrize(("kernel", "alike"), [(gaussian(17, 2.0), True), (disk(3.0), False)])
def test_a_wide_blur(kernel, alike):
    """A Gaussian is undone; another's width is named, and undone as far as any."""
    wide = ReflectBlur(kernel)(sharp())
    A = FromPhoto().for_photo(wide + 0.002 * Noise([0]).like(wide), 0.002)
    assert isinstance(A, SoftBlur) and A.found > WIDE
    assert (A.sigma > 1.4) == alike and (A.sigma < FULL + 0.05) != alike
    assert ("task=sharpen" in A.findings[2]) != alike


def test_darkness():
    # Large enough that it is a scene, and no shadow in one.
    dark = (sharp().repeat(1, 1, 2, 2) + 1) * 0.06 - 1
    A = FromPhoto().with_noise(0.01).for_photo(dark, 0.01)
    assert isinstance(A, Light) and A.sigma_y == 0.01
    assert "dark" in A.findings[0] and "brighten" in A.findings[1]

    # A night with lights, and a dim photo, are named at most.
    lights = dark.clone()
    lights[..., :40, :40] = 0.9
    assert lack((dark + 1) / 2) > 0 > lack((lights + 1) / 2)


def steps(median, top, size=256):
    """A picture [1, 3, size, size] in [0, 1] of these two values, and of dark ones."""
    pixels = torch.full((1, 3, size, size), median)
    pixels[..., : size // 3] = median / 2
    pixels[..., -(size // 8) :] = top
    return pixels


def test_darkness_is_told_by_the_median_and_by_what_is_bright():
    # Half-bright at most, a scene is too dark sooner; what is lit by a lamp may be meant.
    for median, dim, lit in ((0.12, 0.28, 0.8), (0.08, 0.4, 0.95)):
        assert lack(steps(median, dim)) > 0 > lack(steps(median, lit))
    assert lack(steps(0.25, 0.28)) < 0 < lack(torch.zeros(1, 3, 64, 64))


def test_what_only_seems_dark_is_brightened_by_less():
    """It may be the dark part of a scene, with nothing bright in it."""
    y = 2 * steps(0.09, 0.21) - 1
    guessed, told = FromPhoto().for_photo(y, 0.002), Light()
    assert isinstance(guessed, Light)
    seems, dark = (float(A.bind(y).developed(y).median()) for A in (guessed, told))
    assert 0.2 < seems < 0.9 * dark

    # A pyramid's smaller copy is brightened alike.
    small, y_small = guessed.at_scale(2, y)
    assert float(small.bind(y_small).developed(y_small).median()) == pytest.approx(seems, abs=0.03)


def test_what_is_only_just_dark_is_brightened_by_what_noise_is_sure():
    y, medians = 2 * steps(0.12, 0.395) - 1, []
    for sure, level in ((0.5, 0.03), (1.0, 0.004), (1.0, 0.03)):
        A = FromPhoto()
        A.sure = sure
        found = A.for_photo(y, level)
        assert isinstance(found, Light) and found.goal is not None
        medians.append(found.goal.median)
    assert medians[0] == pytest.approx(medians[1]) and 0.12 < medians[1] < 0.2 < medians[2]


def test_compression(tmp_path):
    """A file whose tables are coarse is worked on, however sharp and clean its pixels look."""
    pixels = ((sharp()[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    for quality, leaves in ((20, False), (98, True)):
        file = tmp_path / f"{quality}.jpg"
        Image.fromarray(pixels).save(file, quality=quality)
        with Image.open(io.BytesIO(file.read_bytes())) as picture:
            y = torch.from_numpy(np.asarray(picture.convert("RGB")).copy())
        y = y.permute(2, 0, 1)[None] / 127.5 - 1

        A = FromPhoto().for_file(file).for_photo(y, 0.002)
        assert A.leaves == leaves and "JPEG, errors of about" in A.findings[0]


def test_what_is_left_is_named():
    cast = (sharp() + 1) * torch.tensor([1.0, 0.7, 0.4]).view(1, 3, 1, 1) - 1
    left = FromPhoto().for_photo(cast, 0.002).findings[2]
    assert (
        "colour cast (task=whitebalance)" in left
        and "small (task=sr4 operator.kernel=auto)" in left
    )
