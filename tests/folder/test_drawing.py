"""task=sample: pictures of the prior by itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.folder import drawing
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from tests.networks import small_unet
from tests.test_cli import cli  # noqa: F401

SETTINGS = {"size": 8, "steps": 2, "eta": 0.0}


def pixels(file):
    return np.asarray(Image.open(file)).astype(int)


def test_pictures_and_their_sheet(cli):  # noqa: F811
    """The same seed is the same picture in whatever batch; another one is another."""
    words = ("task=sample", "steps=2", "output=o")
    code, out, _ = cli(*words, "count=3", "seed=4", "batch=3")
    assert code == 0 and out.count(".png") == 4
    files = sorted(Path("o/samples").iterdir())
    assert [f.name for f in files] == ["000004.png", "000005.png", "000006.png"]
    assert pixels("o/sheet.png").shape[2] == 3 and pixels(files[0]).shape == (64, 64, 3)

    code, _, _ = cli(*words[:2], "output=p", "count=1", "seed=5")
    assert abs(pixels("p/samples/000005.png") - pixels(files[1])).max() <= 1
    assert abs(pixels(files[0]) - pixels(files[1])).mean() > 5

    # It goes on where it was; other settings replace nothing.
    files[0].unlink()
    before = files[1].stat().st_mtime_ns
    assert cli(*words, "count=3", "seed=4", "batch=3")[0] == 0
    assert files[0].is_file() and files[1].stat().st_mtime_ns == before
    code, _, err = cli(*words, "count=3", "seed=4", "eta=1")
    assert code == 2 and "holds pictures of other settings" in err
    assert cli(*words, "count=3", "seed=4", "eta=1", "overwrite=true")[0] == 0
    assert files[1].stat().st_mtime_ns != before


def test_classes_are_those_asked_for(tmp_path):
    """Each picture is what its class draws; without label= another at random, by the seed."""
    prior = Prior(small_unet(num_classes=5), betas(), label=0)
    drawn = drawing.plan(0, 4, [3, 1], 5)
    assert [one.label for one in drawn] == [3, 1, 3, 1]
    files = list(drawing.draw(prior, drawn, tmp_path / "a", SETTINGS, most=2))
    assert [f.name for f in files[:2]] == ["0001_000001.png", "0001_000003.png"]

    prior.label = 3
    alone = drawing.sample(prior, 1, 8, 0.0, 2, [2]).clamp(-1, 1)
    shown = torch.from_numpy(pixels(tmp_path / "a/samples/0003_000002.png")).permute(2, 0, 1)
    assert (127.5 * (alone[0] + 1) - shown).abs().max() < 1
    chance = [one.label for one in drawing.plan(0, 40, None, 5)]
    assert set(chance) == set(range(5)) and chance[3:] == [
        one.label for one in drawing.plan(3, 37, None, 5)
    ]


def test_classes_that_are_not_there():
    with pytest.raises(ValueError, match=r"label=5; this prior has the classes 0\.\.4"):
        drawing.plan(0, 1, 5, 5)
    with pytest.raises(ValueError, match="this prior has no classes"):
        drawing.plan(0, 1, 2, None)


def test_a_label_of_a_prior_without_classes(cli):  # noqa: F811
    code, _, err = cli("task=sample", "label=3", "output=o")
    assert code == 2 and "no classes" in err and not Path("o").exists()
