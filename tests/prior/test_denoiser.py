"""A denoiser as a prior: its score is that of what it denoises."""

import json
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gdp import cli
from gdp.network.denoisers import FFDNet
from gdp.prior.denoiser import DenoiserPrior, MixedPrior, load_denoiser, load_mixed
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.noise import Noise
from gdp.prior.tiling import TiledPrior
from operators.size.avgpool import AvgPool
from samplers.ddnm import DDNM

STD = 0.5


class OfGaussians(nn.Module):
    """The posterior mean of pixels N(1/2, (STD / 2)^2), in [0, 1] units."""

    def __init__(self):
        super().__init__()
        self.levels = []

    def forward(self, x, sigma):
        self.levels.append((sigma, x.shape[-1]))
        var = (STD / 2) ** 2
        return 0.5 + (x - 0.5) * var / (var + sigma**2)


def test_the_score_is_exact():
    """Of Gaussian pixels it is GaussianPrior's, at every time, and so is what is drawn."""
    ours, exact = DenoiserPrior(OfGaussians(), most=1e3), GaussianPrior(0.0, STD)
    x = Noise([0], "start").like(torch.zeros(1, 3, 8, 8))
    for t in (1, 40, 400, 1000):
        got, expected = ours(x, t), exact(x, t)
        assert torch.allclose(got.eps, expected.eps, atol=2e-4)
        assert torch.allclose(got.x0, expected.x0, atol=2e-4 * max(1.0, exact.sigma(t)))

    y = torch.rand(1, 3, 4, 4) * 2 - 1
    drawn = [DDNM()(prior, AvgPool(2), y, seeds=[3]).x for prior in (ours, exact)]
    assert torch.allclose(*drawn, atol=1e-3)


def test_more_noise_than_it_was_trained_for_is_averaged_away():
    net = OfGaussians()
    prior = DenoiserPrior(net, most=0.1)
    x0, a = torch.zeros(1, 3, 37, 52), 0.0
    for t in (20, 100, 1000):
        a = prior.a(t)
        noise = Noise([t], "start").like(x0)
        found = prior(a**0.5 * x0 + (1 - a) ** 0.5 * noise, t)
        assert found.x0.shape == x0.shape and found.x0.isfinite().all()
        assert found.x0.abs().mean() < 0.25
    assert all(sigma <= 0.1 for sigma, _ in net.levels)
    assert [width for _, width in net.levels] == [52, 26, 2]


def test_the_mean_of_two():
    prior, other = GaussianPrior(0.0, STD), DenoiserPrior(OfGaussians(), most=1e3)
    other.net.forward = lambda x, sigma: torch.full_like(x, 0.5)  # x0 = 0
    mixed = MixedPrior(prior, other, share=0.25, until=0.1)
    x = torch.randn(1, 3, 8, 8)
    low, high = 10, 500
    assert mixed.sigma(low) / 2 < 0.1 < mixed.sigma(high) / 4
    assert torch.allclose(mixed(x, low).x0, 0.75 * prior(x, low).x0, atol=1e-5)
    assert torch.equal(mixed(x, high).eps, prior(x, high).eps)
    middle = min(range(1, 1000), key=lambda t: abs(mixed.sigma(t) / 2 - 0.1 * 2**0.5))
    assert mixed.weight(middle) == pytest.approx(0.125, abs=0.01)

    with pytest.raises(ValueError, match=r"prior.share=1.5"):
        MixedPrior(prior, other, share=1.5)
    with pytest.raises(ValueError, match="linear schedule of 1000 steps"):
        MixedPrior(GaussianPrior(T=100), other)


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    file = tmp_path / "ffdnet.safetensors"
    save_file({k: 0.1 * v for k, v in FFDNet(3, 8, 3).state_dict().items()}, file)
    return file


def test_from_a_file(weights, tmp_path):
    prior = load_denoiser(str(weights), dtype="float32")
    assert prior.source["file"] == "ffdnet.safetensors" and len(prior.source["sha256"]) == 64
    x = torch.randn(2, 3, 9, 14)
    whole = prior(x, 50)
    assert whole.x0.shape == x.shape and whole.v is None
    assert torch.allclose(
        TiledPrior(prior, tile=8, overlap=4)(x[..., :8, :8], 50).x0, prior(x[..., :8, :8], 50).x0
    )

    x.requires_grad_(True)
    load_denoiser(str(weights), dtype="float32")(x, 50).x0.sum().backward()
    assert x.grad.abs().sum() > 0

    mixed = load_mixed(str(weights), dtype="float32")
    assert {"file", "sha256", "denoiser_file", "denoiser_sha256"} <= mixed.source.keys()


def test_what_is_none(tmp_path, weights):
    save_file(FFDNet(1, 8, 3).state_dict(), tmp_path / "grey.safetensors")
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    for name, words in {"grey": "1 channels", "other": "another network"}.items():
        with pytest.raises(ValueError, match=words):
            load_denoiser(str(tmp_path / f"{name}.safetensors"))
    for given in ({}, {"path": str(weights), "module": OfGaussians()}):
        with pytest.raises(ValueError, match=r"prior=denoiser takes prior\.path=FILE"):
            load_denoiser(**given)
    with pytest.raises(ValueError, match=r"prior.most=0"):
        DenoiserPrior(OfGaussians(), most=0)


MODULE = """
import torch

class Blur(torch.nn.Module):
    def forward(self, x, sigma):
        return torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
"""


def test_on_the_command_line(weights, cat, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "denoisers_of_mine.py").write_text(MODULE)
    line = ["run.py", "task=denoise", "sigma_y=0.1", f"input={cat}", "steps=2", "device=cpu"]
    for name, words in {
        "file": ["prior=denoiser", f"prior.path={weights}"],
        "mine": ["prior=denoiser", "+prior.module._target_=denoisers_of_mine.Blur"],
        "mean": ["prior=mix", f"prior.path={weights}"],
    }.items():
        monkeypatch.setattr(sys, "argv", [*line, *words, f"output={name}"])
        assert cli.main() == 0, capsys.readouterr().err
        assert (tmp_path / name / "cat.png").is_file()
    report = json.loads((tmp_path / "file" / "cat.json").read_text())
    assert report["prior"]["file"] == "ffdnet.safetensors"

    monkeypatch.setattr(sys, "argv", [*line, "prior=denoiser", "output=none"])
    assert cli.main() == 2
    assert "prior=denoiser takes prior.path=FILE" in capsys.readouterr().err
