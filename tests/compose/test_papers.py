"""Recipes of papers by name: conf/paper/*.yaml."""

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

import gdp
from gdp.cli.words import quote
from gdp.compose.configuration import compose_words
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.storage.places import CONF
from samplers.guide.released import colour
from tests.networks import small_unet

RECIPES = sorted(file.stem for file in (CONF / "paper").glob("*.yaml"))
MASKED = ("ddnm_inpaint", "ddnm_oldphoto", "repaint_inpaint")  # take mask=FILE

# name: what the papers' released code has, by setting.
CONSTANTS = {
    "gdp_sr4": {"sampler.scale": 2000, "operator.r": 4, "sampler.schedule.steps": 1000},
    "gdp_deblur": {"sampler.scale": 6000, "operator.border": "valid", "sigma_y": 0},
    "gdp_inpaint": {"sampler.scale": 4000, "operator.rate": 0.25},
    "ddnm_sr4": {"sampler.eta": 0.85, "sampler.schedule.steps": 100, "prior.path": "256x256"},
    "ddnm_oldphoto": {"sigma_y": 0.02, "operator.r": 2, "sampler.schedule.repeat": 2},
    "ddrm_sr4_noisy": {"sigma_y": 0.05, "sampler.eta_b": 1, "sampler.schedule.steps": 20},
    "repaint_inpaint": {"sampler.schedule.travel": 10, "sampler.schedule.steps": 250},
    "dps_deblur": {"sampler.zeta": 0.3, "sigma_y": 0.025, "operator.kernel.size": 61},
    "dps_phase": {"sampler.zeta": 1, "sigma_y": 0.025, "operator.oversample": 2},
    "diffpir_deblur": {"sampler.lam": 7, "sampler.zeta": 0.3, "operator.border": "circular"},
}


@pytest.mark.parametrize("name", sorted(CONSTANTS))
def test_constants_are_the_paper_s(name):
    cfg = compose_words([f"paper={name}"])[0]
    for setting, value in CONSTANTS[name].items():
        found = OmegaConf.select(cfg, setting)
        assert found.startswith(value) if isinstance(value, str) else found == value, setting


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_restores(name):
    """It composes, its parts fit each other, and some steps of it give a picture."""
    photo = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    mask = np.zeros((64, 64), bool)
    mask[20:30, 20:40] = True
    settings = {"mask": mask} if name in MASKED else {}
    if name != "gdp_hdr":
        settings["degrade"] = True

    # Three exposures for HDR; the prior stands in for the paper's.
    prior = Prior(small_unet(), betas())
    source = [photo * f for f in (1.0, 0.5, 0.25)] if name == "gdp_hdr" else photo
    result = gdp.restore(source, paper=name, prior=prior, steps=3, **settings)
    assert torch.isfinite(torch.as_tensor(result.pixels)).all()
    assert result.reports[0]["choices"]["paper"] == name


def test_what_is_given_goes_before_the_recipe():
    cfg, choices = compose_words(["paper=ddnm_sr4", "prior=photo64", "sampler.eta=0"])
    assert choices["prior"] == "photo64" and cfg.sampler.eta == 0
    assert "paper" not in compose_words([])[1]


def test_recipes_may_be_added_as_experiments_are():
    assert quote("+paper=gdp_sr4", sweep=False) == "paper=gdp_sr4"
    assert quote("+operator.r=2", sweep=False) == "+operator.r=2"


def test_colour_loss_of_even_means_has_a_gradient():
    x0 = torch.zeros(2, 3, 8, 8, requires_grad=True)
    colour(x0, x0, x0.clone).sum().backward()
    assert torch.isfinite(x0.grad).all()
