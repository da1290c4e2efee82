"""Rows of papers' tables by name: conf/experiment/*.yaml."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

import gdp
from gdp.cli.words import quote
from gdp.compose.building import build
from gdp.compose.configuration import compose_words
from gdp.picture import datasets, mask_of, to_image, write
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.storage.places import CONF
from tests.networks import small_unet
from tests.photos import astronaut
from tests.test_cli import cli  # noqa: F401

ROWS = sorted(file.stem for file in (CONF / "experiment").glob("*.yaml"))
PAGE = Path(__file__).parents[2] / "docs" / "reproduce.md"
MASKED = ("ddnm_imagenet_inpaint", "ddnm_celebahq_inpaint")
CONSTANTS = {  # name: what sets a row apart from its recipe
    "gdp_table1_deblur_xt": {"sampler._target_": "samplers.gdp_released.GDPxt", "sigma_y": 0},
    "ddnm_celebahq_colorize": {"prior.path": "celeba_hq.ckpt", "dataset": "celebahq1k"},
    "ddrm_deblur_noisy": {"sigma_y": 0.05, "sampler.schedule.steps": 20},
    "dps_imagenet_sr4": {"prior.path": "256x256_diffusion_uncond.pt", "sigma_y": 0.025},
    "diffpir_ffhq_clean_motion_20": {"sigma_y": 0, "sampler.schedule.steps": 20},
    "diffpir_ffhq_clean_motion_100": {"sigma_y": 0, "sampler.schedule.steps": 100},
    "gdp_lol": {"dataset": "lol15", "degrade": False},
}


def test_every_row_composes_and_its_parts_fit():
    """Each takes a recipe of the papers, and a set of photos that the reader knows."""
    white = np.zeros((8, 8), bool)
    white[2:4] = True
    for name in ROWS:
        cfg, choices = compose_words([f"experiment={name}"])
        assert choices["paper"] in [f.stem for f in (CONF / "paper").glob("*.yaml")], name
        assert (cfg.dataset in datasets.DATASETS) != (name == "gdp_hdr"), name
        assert cfg.save == ["reference", "restored"] and cfg.compare is False, name
        if name in MASKED:
            cfg._set_flag("allow_objects", True)
            cfg.mask = mask_of(white)
        build(cfg, choices)
        for setting, value in CONSTANTS.get(name, {}).items():
            assert OmegaConf.select(cfg, setting) == value, (name, setting)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_every_row_runs(name):
    photo = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(64, 64)
    mask[20:30, 20:40] = 1
    source = [photo * f for f in (1.0, 0.5, 0.25)] if name == "gdp_hdr" else photo
    settings = {"mask": mask.bool().numpy()} if name in MASKED else {}
    prior = Prior(small_unet(), betas())
    result = gdp.restore(source, experiment=name, prior=prior, steps=3, **settings)
    assert torch.isfinite(torch.as_tensor(result.pixels)).all()


def photos(folder, names, side=40):
    """A photo of each name, `side` pixels high and half as much wider."""
    for k, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = torch.nn.functional.interpolate(to_image(astronaut(60)), (side, 3 * side // 2))
        write(pixels.roll(k, 3), folder / name)


def test_a_row_over_its_photos(cli, tmp_path, monkeypatch):  # noqa: F811
    """The photos of the list alone, cut to squares; scores, and folders for FID."""
    known = datasets.DATASETS["imagenet1k"]._replace(photos=2, square=16)
    monkeypatch.setitem(datasets.DATASETS, "imagenet1k", known)
    folder = tmp_path / "sets" / "imagenet1k"
    photos(folder, ("val/b.png", "val/a.png", "val/c.png"))
    (folder / "imagenet_val_1k.txt").write_text("val/b.png 3\na.png 0\n")

    words = ("+experiment=gdp_table1_sr4", "data=sets", "prior=photo64", "steps=1", "output=o")
    code, _, err = cli(*words)
    assert code == 0, err
    names = ["a.png", "b.png"]
    for sub in ("reference", "restored"):
        assert sorted(f.name for f in Path("o", sub).iterdir()) == names
    head, *rows = Path("o/summary.csv").read_text().splitlines()
    assert [row.split(",")[:3] for row in rows] == [
        ["a", "done", "16x16"],
        ["b", "done", "16x16"],
        ["mean", "of 2", ""],
    ]
    assert {"psnr", "ssim", "consistency_mse", "input_psnr"} <= set(head.split(","))


def test_pairs_are_scored_against_their_truth(cli, tmp_path, monkeypatch):  # noqa: F811
    known = datasets.DATASETS["lol15"]._replace(photos=2, sizes=((60, 40),))
    monkeypatch.setitem(datasets.DATASETS, "lol15", known)
    photos(tmp_path / "data" / "lol15", ("low/1.png", "low/2.png", "high/1.png", "high/2.png"))
    code, _, err = cli("task=lowlight", "dataset=lol15", "steps=1", "output=o", "scores=light")
    assert code == 0, err
    assert "input_psnr" in Path("o/summary.csv").read_text().splitlines()[0]


def test_what_is_not_there_is_said_in_a_line(cli, tmp_path):  # noqa: F811
    code, _, err = cli("dataset=kodak24", "output=o")
    assert code == 2 and "r0k.us/graphics/kodak" in err and "kodim01.png" in err
    photos(tmp_path / "data" / "kodak24", ("kodim01.png",))
    code, _, err = cli("dataset=kodak24", "output=o")
    assert code == 2 and "1 photos" in err and "it has 24" in err
    (tmp_path / "data" / "imagenet1k").mkdir()
    assert "no list data/imagenet1k/imagenet_val_1k.txt" in cli("dataset=imagenet1k")[2]
    assert "there are bsd100, cbsd68" in cli("dataset=imagenet")[2]
    assert "both name photos" in cli("dataset=kodak24", "input=data")[2]


def test_sizes_are_checked(tmp_path, monkeypatch):
    monkeypatch.setitem(
        datasets.DATASETS, "kodak24", datasets.DATASETS["kodak24"]._replace(photos=1)
    )
    photos(tmp_path / "kodak24", ("kodim01.png",))
    with pytest.raises(ValueError, match=r"kodim01\.png is 60x40; get it from"):
        datasets.find_dataset("kodak24", tmp_path)
    (tmp_path / "polyu").mkdir()
    photos(tmp_path / "polyu", ("x_real.png",))
    known = datasets.DATASETS["polyu"]._replace(photos=1, sizes=())
    monkeypatch.setitem(datasets.DATASETS, "polyu", known)
    with pytest.raises(FileNotFoundError, match=r"x_mean\.png, the truth of x_real\.png"):
        datasets.find_dataset("polyu", tmp_path)


def test_photos_are_cut_as_guided_diffusion_cuts_them():
    """Halved by boxes while they are twice as large, then bicubic, then the middle."""
    photo = gdp.picture.Photo(to_image(astronaut(64)), 0.001)
    assert (datasets.squared(photo, 64).pixels - photo.pixels).abs().max() < 1e-6
    half = datasets.squared(photo, 32).pixels
    boxes = torch.nn.functional.avg_pool2d(photo.pixels, 2)
    assert (half - boxes).abs().max() < 1.1 / 255
    wide = photo._replace(pixels=torch.cat([torch.zeros(1, 3, 64, 32), photo.pixels], 3))
    cut = datasets.squared(wide, 64).pixels[..., 16:]
    assert (cut - photo.pixels[..., :48]).abs().max() < 1e-6


def test_every_row_and_set_is_in_the_page():
    text = PAGE.read_text()
    assert set(re.findall(r"`((?:gdp|ddnm|ddrm|dps|diffpir)_\w+)`", text)) >= set(ROWS)
    assert set(datasets.DATASETS) <= set(re.findall(r"^\| `(\w+)` \|", text, re.M))


def test_rows_may_be_added_as_hydra_writes_them():
    assert quote("+experiment=gdp_lol", sweep=False) == "experiment=gdp_lol"
