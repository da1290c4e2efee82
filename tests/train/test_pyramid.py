"""Crops cut on the device: the right pixels, of photos that are large enough, the same again."""

from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.train.pyramid import Pyramid, shrunk
from tests.train.conftest import curve, photos_of, run

CPU = torch.device("cpu")


def take(pyramid: Pyramid, first: int, number: int, rank: int = 0, world: int = 1):
    """Batches of 6 crops, of 8 and 16 pixels in turn."""
    data = pyramid.batches(3, first, lambda step: (8 + 8 * (step % 2), 6), rank, world)
    return list(islice(data, number))


def test_batches_resume_anywhere_and_divide_over_processes(folder):
    pyramid = Pyramid(photos_of(folder), 8, CPU)
    batches, later = take(pyramid, 0, 4), take(pyramid, 2, 2)

    assert [b.x0.shape for b in batches[:2]] == [(6, 3, 8, 8), (6, 3, 16, 16)]
    assert all(b.x0.is_contiguous(memory_format=torch.channels_last) for b in batches)
    for batch, again in zip(batches[2:], later, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))

    # Two processes share crops and times, and draw noise of their own
    halves = [take(pyramid, 0, 1, rank, 2)[0] for rank in (0, 1)]
    for rank, half in enumerate(halves):
        assert torch.equal(half.x0, batches[0].x0[rank::2])
        assert torch.equal(half.u, batches[0].u[rank::2])
    assert not torch.equal(halves[0].eps, halves[1].eps)


def test_native_crops_are_windows_of_a_photo(tmp_path):
    """Each crop stands somewhere in the photo, or in its mirror image."""
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (21, 30, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.png")
    pyramid = Pyramid(photos_of(tmp_path, native=1), 8, CPU)

    windows = np.lib.stride_tricks.sliding_window_view(photo, (8, 8), (0, 1)).transpose(
        0, 1, 3, 4, 2
    )
    found = set()
    for x0 in take(pyramid, 0, 1)[0].x0:
        crop = ((x0 + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        for mirrored in (False, True):
            places = (windows == (crop[:, ::-1] if mirrored else crop)).all((2, 3, 4))
            found |= {(int(y), int(x), mirrored) for y, x in np.argwhere(places)}
    assert len(found) == 6 and {mirrored for *_, mirrored in found} == {False, True}


def test_small_photos_are_left_out(tmp_path):
    """A photo below the crop's size is never drawn; where all are, an error says so."""
    Image.fromarray(np.full((9, 60, 3), 255, np.uint8)).save(tmp_path / "small.png")
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "large.png")

    pyramid = Pyramid(photos_of(tmp_path, native=0), 8, CPU)
    small, large = take(pyramid, 0, 2)
    assert (large.x0 == -1).all() and not (small.x0 == -1).all()

    with pytest.raises(ValueError, match="no photo has 48 pixels along its short side"):
        pyramid.windows(np.random.default_rng(0), 48, 2)
    with pytest.raises(ValueError, match="none of the 2 photos has 64 pixels"):
        Pyramid(photos_of(tmp_path), 64, CPU)


def test_levels():
    """Each is 2^(1/3) smaller than the one before; brightness stays."""
    photo = np.full((64, 100, 3), (10, 120, 250), np.uint8)
    levels = shrunk(photo, 16)
    assert [level.shape[0] for level in levels] == [64, 51, 40, 32, 25, 20, 16]
    assert all((level == photo[0, 0]).all() for level in levels)
    assert shrunk(photo, 65) == []


def test_a_run_with_crops_on_the_device(folder, tmp_path):
    """It trains, goes on from its checkpoint, and draws most times at low noise."""
    words = ("--holdout", 2, "--crops", "device", "--times", "sigma", "--size-ladder", "8:1")
    assert run(folder, tmp_path / "a", "--steps", 20, *words) == 0
    rows = curve(tmp_path / "a")
    assert [row["step"] for row in rows] == [10, 20] and all(row["mse"] > 0 for row in rows)
