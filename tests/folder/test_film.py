"""Frames of a film: one noise for all, less flicker than frame by frame, and runs that go on."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from gdp import cli
from gdp.network.denoisers import FFDNet
from gdp.restore.first import stage_one
from gdp.restore.several.steady import Past, flow, steadied, warp

pytest.importorskip("skimage", reason="extra video")


def scene(H=64, W=96):
    """A smooth random texture, [1, 3, H, W] in [0, 1]."""
    z = torch.randn(1, 3, H // 4, W // 4, generator=torch.Generator().manual_seed(3))
    return torch.nn.functional.interpolate(0.5 + 0.15 * z, (H, W), mode="bicubic").clamp(0, 1)


def frames(count=3, noise=0.08, size=48):
    """A pan over the scene, two pixels a frame, each with noise of its own."""
    whole, random = scene(), torch.Generator().manual_seed(4)
    clean = [whole[..., 4 : 4 + size, 2 * k : 2 * k + size] for k in range(count)]
    noisy = [x + noise * torch.randn(x.shape, generator=random) for x in clean]
    return clean, [x.clamp(0, 1) for x in noisy]


def test_flow_and_warp():
    (before, now), _ = frames(2)
    motion = flow(now, before)
    middle = motion[0, :, 10:-10, 10:-10]
    assert middle[0].mean() == pytest.approx(0, abs=0.2)
    assert middle[1].mean() == pytest.approx(2, abs=0.3)
    assert (warp(before, motion) - now)[..., 8:-8, 8:-8].abs().mean() < 0.01


def test_the_past_counts_where_frames_show_the_same():
    (before, now), noisy = frames(2)
    past = Past(noisy[0], before)
    out = steadied(noisy[1], noisy[1], past, 0.08)
    inside = (..., slice(8, -8), slice(8, -8))
    assert (out - now)[inside].std() < 0.5 * (noisy[1] - now)[inside].std()

    # Something new in view stays, and a frame of another size tells nothing.
    new = noisy[1].clone()
    new[..., 20:34, 20:34] = 1.0
    out = steadied(new, new, past, 0.08)
    assert (out - new)[..., 24:30, 24:30].abs().max() < 0.05
    assert torch.equal(steadied(now, now, Past(now[..., :20], now), 0.1), now)


@pytest.fixture
def film(tmp_path):
    clean, noisy = frames()
    (tmp_path / "film").mkdir()
    for k, x in enumerate(noisy):
        pixels = (x[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "film" / f"f{k:03}.png")
    return tmp_path, clean


def run(monkeypatch, folder, name, *words):
    given = [f"input={folder / 'film'}", f"output={folder / name}", "task=denoise", "compare=false"]
    monkeypatch.setattr("sys.argv", ["run.py", *given, "sigma_y=auto", "device=cpu", *words])
    code = cli.main()
    files = sorted((folder / name).glob("f*.png"))
    pictures = [torch.from_numpy(np.array(Image.open(f))).permute(2, 0, 1) / 255 for f in files]
    reports = [json.loads(file.with_suffix(".json").read_text()) for file in files]
    return code, pictures, reports


def flicker(pictures):
    """The mean difference of neighbours, laid over each other."""
    moved = [(b[..., :-2] - a[..., 2:]).abs().mean() for a, b in pairwise(pictures)]
    return float(np.mean(moved))


def test_less_flicker(film, monkeypatch):
    folder, clean = film
    code, single, _ = run(monkeypatch, folder, "single")
    assert code == 0
    code, steady, reports = run(monkeypatch, folder, "steady", "video=true")
    assert code == 0
    assert len({report["sigma_y"] for report in reports}) == 1
    assert flicker(steady) < 0.7 * flicker(single)
    error = [float((a - x[0]).square().mean()) for a, x in zip(steady, clean, strict=True)]
    other = [float((a - x[0]).square().mean()) for a, x in zip(single, clean, strict=True)]
    assert sum(error) < 1.02 * sum(other)  # and at no cost

    # A run that goes on after two frames comes to the same third.
    for suffix in ("png", "json"):
        (folder / "steady" / f"f002.{suffix}").unlink()
    code, again, _ = run(monkeypatch, folder, "steady", "video=true")
    assert torch.equal(again[2], steady[2])


def test_stage_one_draws_each_frame_once(film, monkeypatch):
    """Once from y, and once more from its own picture, by which its error is known."""
    folder, _ = film
    torch.save({"params": FFDNet(3, 8, 3).state_dict()}, folder / "net.pth")
    calls, restore = [], stage_one.StageOne.restore
    noted = lambda self, A, y: calls.append(float(A.sigma_y)) or restore(self, A, y)  # noqa: E731
    monkeypatch.setattr(stage_one.StageOne, "restore", noted)

    words = ("video=true", f"stage_one={folder / 'net.pth'}", "fidelity=0", "report=false")
    code, pictures, _ = run(monkeypatch, folder, "drawn", *words)
    assert (code, len(pictures), len(calls)) == (0, 3, 2 * 3)
    assert len(set(calls)) == 1  # with the first frame's noise

    # A run that goes on in the middle draws what is left alone
    for suffix in ("png", "json"):
        (folder / "drawn" / f"f002.{suffix}").unlink()
    code, again, _ = run(monkeypatch, folder, "drawn", *words)
    assert (code, len(calls)) == (0, 2 * 3 + 2)
    assert torch.equal(again[2], pictures[2])


def test_what_a_film_is_not(film, monkeypatch, capsys):
    folder, _ = film
    code, pictures, _ = run(monkeypatch, folder, "o", "video=true", "samples=2")
    assert code == 2
    assert not pictures
    assert "leave samples= out" in capsys.readouterr().err
