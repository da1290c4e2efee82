"""Pairs are found, and cropped alike."""

import pytest
import torch

from benchmarks.reality.pairs import Crops, find_pairs, find_sets
from gdp.picture import picture_of, read


def test_pairs_are_found_in_order(folder, tmp_path):
    assert find_sets(folder) == ["blur_made", "noise_made"]
    pairs = find_pairs(folder, "noise_made", Crops(tmp_path))
    assert [(p.name, p.half) for p in pairs] == [("a", "even"), ("b", "odd"), ("c", "even")]
    assert pairs[0].given == folder / "noise_made" / "a_in.png" and pairs[0].kernel is None
    assert [p.name for p in find_pairs(folder, "noise_made", Crops(tmp_path), 1)] == ["a"]


def test_crops_of_photo_truth_and_smaller_photo_are_of_one_place(folder, tmp_path):
    (pair,) = find_pairs(folder, "blur_made", Crops(tmp_path, 32))
    assert pair.photo.shape == pair.truth.shape == (1, 3, 32, 32)
    assert torch.equal(pair.photo, pair.truth)
    assert torch.equal(read(pair.given).pixels, pair.photo)
    assert torch.equal(read(pair.small).pixels, pair.truth[..., ::2, ::2])
    assert pair.kernel == folder / "blur_made" / "k_kernel.png"


def test_exposures_of_a_scene_are_one_pair(tmp_path):
    import tifffile

    scene = tmp_path / "pairs" / "hdr_made"
    scene.mkdir(parents=True)
    for k in range(3):
        picture_of(torch.full((1, 3, 16, 16), 0.2 * (k + 1))).save(scene / f"s_in{k}.png")
    picture_of(torch.full((1, 3, 16, 16), 0.4)).save(scene / "s_gt.png")
    tifffile.imwrite(scene / "s_gt.tif", torch.full((16, 16, 3), 7.0).numpy(), photometric="rgb")

    (pair,) = find_pairs(tmp_path / "pairs", "hdr_made", Crops(tmp_path))
    assert [file.name for file in pair.given] == ["s_in0.png", "s_in1.png", "s_in2.png"]
    assert float(pair.photo.mean()) == pytest.approx(0.4) and float(pair.light.max()) == 7


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"NAME_in\.png and NAME_gt\.png"):
        find_pairs(tmp_path, "none", Crops(tmp_path))
