"""FID and KID of folders, with a small network in Inception's place."""

import json

import numpy as np
import piq
import pytest
import scipy.linalg
import torch
from PIL import Image

from benchmarks import fid as command
from gdp.restore.scores import inception
from gdp.restore.scores.fid import fid, kid


@pytest.fixture(scope="module")
def sets():
    """Features of two sets of 60, [60, 12]."""
    chance = np.random.default_rng(0)
    mixed = np.eye(12) + 0.2 * chance.normal(size=(12, 12))
    return chance.normal(size=(60, 12)) @ mixed, 0.5 + chance.normal(size=(60, 12))


@pytest.fixture
def folders(tmp_path):
    """Two folders of pictures, of other sizes."""
    chance = np.random.default_rng(0)
    for name, size in (("a", 40), ("b", 48)):
        (tmp_path / name).mkdir()
        for k in range(6):
            pixels = chance.integers(0, 255, (size, size + 3 * k, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{k}.png")
    return tmp_path / "a", tmp_path / "b"


def standin(x):
    """A network of 16 features."""
    torch.manual_seed(0)
    return torch.nn.functional.avg_pool2d(x, 64)[:, :, :4, :4].flatten(1)[:, ::3]


def by_root(a, b):
    """FID by scipy's root of the product, as clean-fid and pytorch-fid compute it."""
    first, second = (np.cov(x, rowvar=False) for x in (a, b))
    root = scipy.linalg.sqrtm(first @ second).real
    apart = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return float(apart + np.trace(first + second - 2 * root))


def test_fid_and_kid_are_the_libraries(sets):
    a, b = sets
    x, y = (torch.from_numpy(z) for z in sets)
    assert fid(a, b) == pytest.approx(by_root(a, b), abs=1e-4)
    assert fid(a, b) == pytest.approx(float(piq.FID().compute_metric(x, y)), abs=1e-3)  # iterated
    assert kid(a, b) == pytest.approx(float(piq.KID().compute_metric(x, y)), abs=1e-4)
    assert fid(a, a) == pytest.approx(0, abs=1e-6) and kid(a, a[::-1]) < 0


def test_fid_of_known_gaussians():
    """|m|^2 + n (s - s')^2 of even spreads, by sets whose moments are exact."""
    plus_minus = np.concatenate([np.eye(3), -np.eye(3)]) * np.sqrt(2.5)  # covariance I
    assert fid(plus_minus, 2 * plus_minus + 1) == pytest.approx(3 + 3 * (2 - 1) ** 2)


def test_kid_of_sets_of_other_sizes(sets):
    a, b = sets
    assert kid(a, b[:40]) == kid(a, b[:40])
    assert kid(a, b[:40]) == pytest.approx(kid(a, b), rel=0.5)
    with pytest.raises(ValueError, match="sets of 1 and 60 pictures"):
        fid(a[:1], b)


def test_the_command(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "load", lambda file: standin)
    monkeypatch.setattr(command, "locate", lambda *_, **__: None)
    command.main([*map(str, folders), "--json", str(tmp_path / "o.json")])
    row = json.loads((tmp_path / "o.json").read_text())
    a, b = (inception.features(command.pictures(f), standin) for f in folders)
    assert row["fid"] == pytest.approx(by_root(a, b), abs=1e-4)
    assert row["pictures"] == [6, 6] and "of 6 and 6 pictures" in capsys.readouterr().out

    other = command.measure(*folders, standin, "legacy")
    assert other["fid"] != pytest.approx(row["fid"], rel=1e-3)


def test_what_is_missing_is_said_in_a_line(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(SystemExit) as stop:
        command.main([*map(str, folders)])
    assert stop.value.code == 2 and "pt_inception-2015" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match="no pictures in"):
        command.pictures(tmp_path / "none")


def test_pictures_are_shown_as_clean_fid_shows_them():
    """Bicubic over all pixels: an alternation of lines becomes grey, which legacy aliases."""
    lines = np.zeros((2990, 299, 3), np.uint8)
    lines[::10] = 255
    shown = {name: show(Image.fromarray(lines)) for name, show in inception.PROTOCOLS.items()}
    assert shown["clean"].shape == (1, 3, 299, 299)
    assert float(shown["clean"][..., 5:-5, :].std()) < 0.02 < float(shown["legacy"].std()) + 0.03
    even = Image.new("RGB", (50, 60), (128, 0, 255))
    assert inception.clean(even)[0, :, 9, 9].tolist() == pytest.approx([0, -1, 127 / 128])
    assert inception.legacy(even)[0, 1, 9, 9] == -1


def test_a_torchscript_of_inception(tmp_path):
    """A file that has `layers`, as clean-fid's, and one that has none."""

    class Script(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.AdaptiveAvgPool2d(2)

        def forward(self, x):
            return self.layers(x)

    torch.jit.save(torch.jit.script(Script()), tmp_path / "a.pt")
    assert inception.load(tmp_path / "a.pt")(torch.ones(2, 3, 9, 9)).shape == (2, 12)
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), tmp_path / "b.pt")
    with pytest.raises(ValueError, match="without `layers`"):
        inception.load(tmp_path / "b.pt")
    torch.save({"a": torch.ones(1)}, tmp_path / "c.pth")
    with pytest.raises(ValueError, match="lacks weights of Inception"):
        inception.load(tmp_path / "c.pth")
