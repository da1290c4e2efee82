"""How much another restorer's picture counts, by y alone."""

from types import SimpleNamespace

import pytest
import torch

import gdp
from gdp.network.denoisers import FFDNet
from gdp.restore.first import weigh
from operators.identity import Identity

STD, SIGMA = 0.5, 0.3  # of x and of y's noise: the best estimate is y times .735
BEST = STD**2 / (STD**2 + SIGMA**2)


def share(f, g, size=64, asked=None):
    """The share of y -> f(y) beside y -> g(y), of Gaussian x."""
    random = torch.Generator().manual_seed(0)
    y = STD * torch.randn(1, 3, size, size, generator=random)
    y = y + SIGMA * torch.randn(y.shape, generator=random)
    A, first = Identity(), SimpleNamespace(report={})
    A.sigma_y = SIGMA
    measurement = SimpleNamespace(operator=A, y=y, first=first, name="photo")
    setup = SimpleNamespace(stage_one=SimpleNamespace(restore=lambda A, y: f(y)))
    x = weigh.weighed(measurement, g(y), setup, g)
    assert torch.allclose(x, torch.lerp(g(y), f(y), first.report["share"]), atol=1e-3)
    return first.report["share"]


def test_the_best_mean_of_two():
    """Of .9 y and .3 y it is that which is .735 y."""
    found = share(lambda y: 0.9 * y, lambda y: 0.3 * y)
    assert found == pytest.approx((BEST - 0.3) / 0.6, abs=0.04)
    other = share(lambda y: 0.3 * y, lambda y: 0.9 * y)
    assert other == pytest.approx(1 - found, abs=2e-3)


def test_what_only_harms_has_no_share():
    assert share(lambda y: 2.0 * y, lambda y: BEST * y) < 0.03
    assert share(lambda y: 3.0 * y, lambda y: 0.9 * y) == 0
    assert share(lambda y: y, lambda y: y) == 0  # one and the same


def test_what_cannot_be_told_has_none():
    """Numbers too coarse for a derivative, and pictures too small."""

    def coarse(y):
        return (0.72 * y + 0.02 * y.roll(1, -1)).bfloat16().float()

    assert share(coarse, lambda y: 0.7 * y.bfloat16().float()) == 0
    assert share(lambda y: 0.74 * y, lambda y: 0.73 * y, size=8) == 0


def test_of_a_restoration(tmp_path):
    """A network that was never trained does no harm; what was many calls is not made twice."""
    torch.save(FFDNet(3, 8, 3).state_dict(), tmp_path / "net.pth")
    x = torch.linspace(0, 1, 48).expand(3, 48, 48).contiguous()
    words = {"task": "denoise", "sigma_y": 0.1, "degrade": True, "prior.dtype": "float32"}
    file = {"stage_one": str(tmp_path / "net.pth")}
    alone, ours = gdp.restore(x, **words), gdp.restore(x, **words, **file)
    assert ours.report["first"]["share"] < 0.1
    assert ours.report["scores"]["psnr"] > alone.report["scores"]["psnr"] - 0.05
    assert ours.report["nfe"] == 2 * alone.report["nfe"]

    for more in ({"samples": 2}, {"detail": 1.0}, {"sampler": "ddnm", "steps": 11}):
        assert "share" not in gdp.restore(x, **words, **file, **more).report["first"]
