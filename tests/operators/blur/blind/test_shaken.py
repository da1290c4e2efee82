"""A photo is taken for shaken only where two parts of it agree on a path that is not round."""

import pytest
import torch

from benchmarks.measures.blind_blur import aligned_psnr
from operators.auto import FromPhoto
from operators.blur import kernels
from operators.blur.blind import shaken as module
from operators.blur.blind.evidence import gradients
from operators.blur.blind.shaken import ShakenBlur, parts, roundness, shaken
from operators.blur.softness import softness
from tests.operators.blur.photos import blurred, photo

PATH = kernels.shake(21, 0.5, 7)
NOISE = 0.008


def seen(kernel):
    return blurred(photo(272, 40, 110), kernel, NOISE / 2)


def test_a_path_is_found_said_and_kept():
    y = seen(PATH)
    A = FromPhoto().with_noise(NOISE).for_photo(y, NOISE)
    assert isinstance(A, ShakenBlur) and A.sigma_y == NOISE
    assert "blurred by the camera's movement over" in A.findings[0]
    assert "undo the camera's movement" in A.findings[1]
    assert not any("soft by" in line for line in A.findings)
    assert 12 < A.extent < 27

    bound = A.bind(y)
    assert not bound.wide and bound.remark(y) == ""
    x = photo(272, 40, 110)
    sharper = bound.prox(y, y, bound.sigma_y**2)
    assert aligned_psnr(sharper, x, 16) > aligned_psnr(y, x, 16) + 0.5


@pytest.mark.parametrize("blur", [kernels.gaussian(13, 1.8), kernels.disk(3.5)])
def test_round_blurs_are_none(blur):
    y = seen(blur)
    assert softness(y) > module.SOFT
    assert shaken(y, NOISE, softness(y)) is None


def test_parts_that_moved_otherwise_are_none():
    y, other = seen(PATH), seen(kernels.motion(15, 60.0))
    rows, columns = parts(gradients(y))[1]
    y[..., rows, columns] = other[..., rows, columns]
    assert shaken(y, NOISE, softness(y)) is None


def test_what_is_sharp_or_small_is_not_looked_at(monkeypatch):
    def never(*_):
        raise AssertionError("looked at")

    monkeypatch.setattr(module, "agreed_path", never)
    assert shaken(photo(272), NOISE, 0.9 * module.SOFT) is None
    small = seen(PATH)[..., :128, :128]
    assert shaken(small, NOISE, 2.0) is None
    with pytest.raises(AssertionError, match="looked at"):
        shaken(seen(PATH), NOISE, 2.0)

    # Nor where noise alone, or what a Gaussian has blurred, is asked for, nor in a film.
    frame = FromPhoto()
    frame.moving = True
    for A in (FromPhoto().denoising(), FromPhoto().for_texture(), frame.with_noise(NOISE)):
        assert not isinstance(A.for_photo(seen(PATH), NOISE), ShakenBlur)


def test_two_parts_lie_apart():
    g = gradients(photo(272, 40, 110))
    a, b = parts(g)
    assert a != b
    shares = [
        max(0, min(i.stop, j.stop) - max(i.start, j.start)) / 160 for i, j in zip(a, b, strict=True)
    ]
    assert shares[0] * shares[1] <= module.SHARED
    assert len(parts(g[..., :150, :150])) == 1 and parts(torch.zeros(1, 2, 300, 300)) == []


def test_roundness():
    assert roundness(kernels.gaussian(21, 1.5)) > 0.99
    assert roundness(kernels.motion(21, 30.0)) < 0.7


def test_what_is_wider_than_its_window_is_said():
    A = ShakenBlur(kernels.gaussian(21, 2.0))
    A.wide = True
    assert "left as it is" in A.remark(photo())
