"""Tools of others run where their library is, and are left out where it is not."""

import importlib.util
from pathlib import Path

import pytest
import torch

from benchmarks.reality import others
from benchmarks.reality.pairs import Crops, Pair, find_pairs
from gdp.restore.scores.metrics import psnr

EVERY = [(family, name) for family in others.FAMILIES for name in others.FAMILIES[family]]


def find(folder: Path, family: str, work: Path) -> Pair:
    """A pair that a family has something to do with."""
    name = "noise_made" if family == "noise" else "blur_made"
    return find_pairs(folder, name, Crops(work))[0]


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_every_tool_gives_a_picture(family, name, folder, tmp_path):
    tool = others.FAMILIES[family][name]
    if not tool.here:
        pytest.skip(f"{' or '.join(tool.libraries)} is not installed")
    pair = find(folder, family, tmp_path)
    pixels = tool.run(pair)
    assert pixels.shape == pair.truth.shape and bool(pixels.isfinite().all())
    assert float(pixels.min()) > -0.5 and float(pixels.max()) < 1.5
    if family == "noise" and name != "opencv_nlm_3":
        assert psnr(pixels, pair.truth) > psnr(pair.photo, pair.truth)


@pytest.mark.parametrize("name", others.FAMILIES["noise"])
def test_grey_photos_stay_whole(name, folder, tmp_path):
    tool = others.FAMILIES["noise"][name]
    if not tool.here:
        pytest.skip(f"{' or '.join(tool.libraries)} is not installed")
    pair = find(folder, "noise", tmp_path)
    grey = pair._replace(photo=pair.photo.mean(1, keepdim=True).expand_as(pair.photo))
    pixels = tool.run(grey)
    assert pixels.shape == pair.truth.shape and bool(pixels.isfinite().all())


def test_tools_without_their_library_are_left_out(monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "cv2" else there(name)
    )
    found = others.tools(["noise", "enlarge", "light"])
    assert {"bicubic", "lanczos", "grey_world", "gain*"} <= found.keys()
    assert not {"opencv_nlm_3", "clahe", "equalise"} & found.keys()


def test_what_knows_the_truth_is_never_worse_than_nothing(folder, tmp_path):
    pair = find(folder, "noise", tmp_path)
    dark = pair._replace(photo=0.3 * pair.truth)
    for name in ("gain*", "gamma*"):
        pixels = others.FAMILIES["light"][name].run(dark)
        assert psnr(pixels, pair.truth) > psnr(dark.photo, pair.truth) + 3


def test_tools_that_need_a_kernel_or_a_smaller_photo_pass_others_by(folder, tmp_path):
    pair = find(folder, "noise", tmp_path)
    assert others.wiener_known(pair) is None
    assert others.ENLARGE["bicubic"].run(pair) is None


def test_unsharp_masking_sharpens_and_keeps_planes(folder, tmp_path):
    pair = find(folder, "blur", tmp_path)
    flat = pair._replace(photo=torch.full_like(pair.photo, 0.4))
    assert torch.allclose(others.unsharp(flat), flat.photo, atol=1e-6)
    assert float(others.unsharp(pair).std()) > float(pair.photo.std())
