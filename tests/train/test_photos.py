"""Photos for training: what is found and decoded, and draws as a pure function."""

import numpy as np
from PIL import Image

from gdp.train.photos import Photos, find_photos, split, window_side
from tests.train.conftest import photos_of


def test_draws_depend_on_seed_step_and_place_alone(folder):
    one, other = photos_of(folder), photos_of(folder, cache_mb=0)
    keys = [(0, 3, 1), (0, 3, 2), (0, 4, 1), (1, 3, 1)]
    draws = {key: one.draw(*key, 16) for key in keys}

    for key in reversed(keys):
        again = other.draw(*key, 16)
        assert np.array_equal(again.crop, draws[key].crop)
        assert np.array_equal(again.eps, draws[key].eps)
        assert again.u == draws[key].u

    assert len({d.u for d in draws.values()}) == len({d.eps.tobytes() for d in draws.values()}) == 4


def test_windows_are_native_or_shrunk_and_small_photos_enlarged():
    rng = np.random.default_rng(0)
    sides = [window_side(256, 64, 0.5, rng) for _ in range(400)]
    assert 150 < sides.count(64) < 250
    assert max(sides) > 230 and min(sides) == 64
    assert {window_side(10, 64, 0.5, rng) for _ in range(20)} == {10}
    assert {window_side(256, 64, 1.0, rng) for _ in range(20)} == {64}


def test_crops_are_pixels_of_the_photo(tmp_path):
    pixels = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photos = photos_of(tmp_path, native=1.0)

    windows = np.lib.stride_tricks.sliding_window_view(pixels, (8, 8, 3))
    windows = windows[..., 0, :, :, :].reshape(-1, 8, 8, 3)
    known = {w.tobytes(): i for i, w in enumerate(windows)}
    mirrored = {w[:, ::-1].tobytes() for w in windows}

    crops = [photos.draw(0, 0, i, 8).crop for i in range(40)]
    straight = [c.tobytes() in known for c in crops]
    assert all(s or c.tobytes() in mirrored for s, c in zip(straight, crops, strict=True))
    assert 5 < sum(straight) < 35


def test_held_out_photos_are_chosen_by_name_and_their_items_fixed(folder):
    files = find_photos(folder)
    training, held = split(folder, files, 3)
    assert split(folder, files[::-1], 3) == (training, held)
    assert len(held) == 3 and not set(held) & set(training) and len(training) + 3 == len(files)

    items = Photos(held, 1, 0.5, True).held_out(16, 10)
    assert len(items) == 30
    assert [int(10 * item.u) for item in items] == list(range(10)) * 3
    again = Photos(held, 0, 0.5, True).held_out(16, 10)
    assert all(np.array_equal(a.crop, b.crop) for a, b in zip(items, again, strict=True))


def test_unreadable_and_damaged_pictures_are_skipped_and_counted(tmp_path, caplog):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels).save(tmp_path / "b.jpg")
    whole = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture either, and not called one")

    photos = photos_of(tmp_path)
    assert [f.name for f in photos.files] == ["a.png", "b.jpg"]
    assert "1 of 3 pictures" in caplog.text
    assert np.array_equal(photos[1], pixels) and np.array_equal(photos[1], pixels)
    assert caplog.text.count("b.jpg is damaged and skipped (1 so far)") == 1
