"""Calibration against posteriors in closed form."""

import json

import pytest
import torch

from benchmarks.measures import calibration
from gdp.prior.gaussian import GaussianPrior


class Exact:
    """Draws from the posterior itself, with a bias and a width in its own std."""

    def __init__(self, problem, bias=0.0, width=1.0):
        self.problem, self.bias, self.width = problem, bias, width

    def __call__(self, prior, operator, y, seeds):
        each = len(y) // len(self.problem.mean)
        z = torch.randn(
            len(y), len(self.problem.values), generator=torch.Generator().manual_seed(1)
        )
        z = (self.width * z.double() + self.bias) * self.problem.values.sqrt()
        x = z @ self.problem.vectors.T + self.problem.mean.repeat_interleave(each, 0)
        return type("Restored", (), {"x": x.view(-1, 3, calibration.SIDE, calibration.SIDE)})


@pytest.fixture(scope="module", params=["inpaint", "sr2"])
def problem(request):
    return calibration.posterior(*calibration.made(request.param), 3)


def test_the_posterior_is_in_closed_form(problem):
    """Its mean is where the gradient of -log p(x | y) is zero, by autograd of A itself."""
    x = problem.mean.view(-1, 3, 8, 8).clone().requires_grad_(True)
    misfit = (problem.operator(x.float()).double() - problem.y.double()).square().sum()
    d = x.flatten(1) - calibration.MEAN
    inverse = torch.linalg.inv(calibration.covariance())
    sigma = problem.operator.sigma_y
    (misfit / (2 * sigma**2) + (d @ inverse * d).sum() / 2).backward()
    assert x.grad.abs().max() < 2e-3  # float32 in A; the terms themselves are of the size of 100
    assert problem.seen.any() and not problem.seen.all()


@pytest.mark.parametrize(
    ("bias", "width", "word"),
    [(0, 1, "draws"), (0, 0.6, "nearly"), (0, 0.2, "estimates"), (1.5, 1, "off")],
)
def test_what_is_said_of_known_draws(problem, bias, width, word):
    row = calibration.measure(Exact(problem, bias, width), None, problem, 40)
    assert row["verdict"] == word
    for part in ("seen", "unseen"):
        assert row[f"bias_{part}"] == pytest.approx(bias, abs=0.1)
        assert row[f"std_{part}"] == pytest.approx(width, rel=0.1)
    if word == "draws":
        assert row["pit"] < 0.02 and row["cover_90"] == pytest.approx(0.88, abs=0.06)
    else:
        assert row["pit"] > 0.05


def test_a_sampler_that_draws_and_one_that_estimates():
    problem = calibration.posterior(*calibration.made("denoise"), 2)
    prior = GaussianPrior(calibration.MEAN, covariance=calibration.covariance())
    rows = {
        name: calibration.measure(calibration.sampler_of(name, 20), prior, problem, 12)
        for name in ("ddrm", "auto")
    }
    assert rows["auto"]["verdict"] == "estimates" and rows["auto"]["bias_seen"] < 0.1
    assert rows["ddrm"]["std_seen"] > 0.4 and rows["ddrm"]["bias_seen"] < 0.5


def test_the_command(tmp_path, capsys):
    file = tmp_path / "o.json"
    words = "--samplers ddnm,phase --problems sr2 --steps 3 --truths 1 --draws 3"
    with pytest.raises(Exception, match="phase"):
        calibration.main([*words.split(), "--json", str(file)])
    calibration.main([*words.replace(",phase", "").split(), "--json", str(file)])
    (row,) = json.loads(file.read_text())["rows"]
    assert row["sampler"] == "ddnm" and row["verdict"] in capsys.readouterr().out


def test_distance_from_even():
    even = (torch.arange(1000) + 0.5) / 1000
    assert calibration.distance_from_even(even) == pytest.approx(0.0005, rel=1e-3)
    assert calibration.distance_from_even(torch.full((9,), 0.5)) == pytest.approx(0.5)
