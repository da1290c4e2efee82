"""How terms move x0: by its own uncertainty, whatever the size, the sampler and the steps."""

from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import torch

from gdp.picture import to_image, to_model
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.base import LinearOperator
from operators.identity import Identity
from operators.size.avgpool import AvgPool
from samplers.anchored import Anchored
from samplers.gdp_linesearch import GDPLineSearch
from samplers.gdp_x0 import GDPx0
from samplers.guide import losses
from samplers.guide.descent import flow
from samplers.guide.guidance import Guidance
from samplers.guide.perceptual import Perceptual
from samplers.reddiff import REDdiff
from tests.photos import astronaut


class Differences(LinearOperator):
    """y is x but for the mean of each colour, which nothing tells."""

    def forward(self, x):
        return x - x.mean((-2, -1), keepdim=True)

    def adjoint(self, y):
        return self(y)

    def pinv(self, y):
        return self(y)


class Grey(LinearOperator):
    """y is the mean of the colours; how they differ, nothing tells."""

    def forward(self, x):
        return x.mean(1, keepdim=True)

    def x_shape(self, y):
        return (len(y), 3, *y.shape[-2:])

    def pinv(self, y):
        return y.expand(-1, 3, -1, -1)


def with_term(name, weight=1.0, **settings):
    """Fidelity and one more."""
    term = partial(getattr(losses, name), **settings)
    return Guidance({"fidelity": [1.0, losses.fidelity], name: [weight, term]})


def samplers(guidance, steps=12):
    """One of each kind that is steered."""
    schedule = Schedule(steps, spacing="respaced")
    return {
        "anchored": Anchored(guidance=guidance, schedule=schedule),
        "gdp_linesearch": GDPLineSearch(guidance=guidance, schedule=schedule),
        "gdp_x0": GDPx0(guidance=guidance, schedule=schedule),
    }


@pytest.mark.parametrize("name", ["anchored", "gdp_linesearch", "gdp_x0"])
@pytest.mark.parametrize("target", [0.3, 0.7])
@pytest.mark.parametrize("steps", [6, 24])
def test_exposure_sets_a_mean_that_y_leaves_free(name, target, steps):
    A, x = Differences(), astronaut(32)
    sampler = samplers(with_term("exposure", target=target), steps)[name]
    result = sampler(GaussianPrior(0.0, 0.5), A, A(x), [0]).x
    assert float(to_image(result).mean()) == pytest.approx(target, abs=0.05)

    # The mean alone moves: no blocks, and y is followed as before.
    assert float((A(result) - A(x)).square().mean().sqrt()) < 0.1


@pytest.mark.parametrize("name", ["anchored", "gdp_linesearch", "gdp_x0"])
def test_what_y_tells_is_not_moved(name):
    A, x = AvgPool(2), astronaut(32)
    sampler = samplers(with_term("exposure", target=0.9), 24)[name]
    result = sampler(GaussianPrior(0.0, 0.5), A, A(x), [0]).x
    assert float(result.mean()) == pytest.approx(float(x.mean()), abs=0.05)


def test_colour_constancy_takes_a_cast_away_that_y_leaves_free():
    A, y = Grey(), Grey()(astronaut(32))
    cast = GaussianPrior(torch.tensor([0.4, 0.0, -0.4]).view(1, 3, 1, 1), 0.5)

    def spread(guidance, name):
        means = samplers(guidance)[name](cast, A, y, [0]).x.mean((-2, -1))
        return float(means.std())

    for name in ("anchored", "gdp_linesearch", "gdp_x0"):
        assert spread(with_term("colour_constancy"), name) < 0.3 * spread(Guidance(), name)


def test_total_variation_takes_noise_away_and_leaves_edges():
    x = to_model(torch.cat([torch.full((1, 3, 32, 16), 0.2), torch.full((1, 3, 32, 16), 0.8)], -1))
    noisy = x + 0.1 * torch.randn_like(x)
    smooth = with_term("total_variation").steer(noisy, x, Identity(), now=0.6)
    assert (smooth - x).norm() < 0.6 * (noisy - x).norm()
    step = smooth[..., 18:].mean() - smooth[..., :14].mean()
    assert float(step) == pytest.approx(1.2, abs=0.1)


def test_spatial_consistency_brings_contrasts_of_y_back():
    x = astronaut(32)
    dull = 0.5 * x + 0.5 * x.roll(8, -1)  # contrasts that y lacks
    term = partial(losses.spatial_consistency, patch=4)
    steered = with_term("spatial_consistency").steer(dull, 0.3 * x - 0.5, Identity(), now=0.6)
    assert term(steered, x, Identity()) < 0.3 * term(dull, x, Identity())
    small = torch.nn.functional.avg_pool2d(x, 4)  # a y of another size tells them too
    assert term(dull, small, Identity()) > 10 * term(x, small, Identity())


def test_saturation_keeps_x0_within_black_and_white():
    x = 1.3 * astronaut(32)
    steered = with_term("saturation").steer(x, x, Identity(), now=1.0)
    assert float((steered.abs() - 1).clamp_min(0).max()) < 0.05
    inside = x.abs() < 1
    torch.testing.assert_close(steered[inside], x[inside])


@pytest.mark.parametrize("size", [16, 64])
def test_the_pull_does_not_depend_on_the_size(size):
    x = to_model(torch.full((1, 3, size, size), 0.2))
    moved = with_term("exposure", target=0.24).steer(x, x, Identity(), now=0.3)

    # The share 1 - exp(-r^2 / (2 LEVEL)^2) of the way, with r = 0.35 * 0.3.
    assert float(to_image(moved).mean()) == pytest.approx(0.2267, abs=5e-4)


def test_the_pull_does_not_depend_on_the_number_of_steps():
    x, guidance = torch.nn.functional.avg_pool2d(astronaut(128), 4), with_term("total_variation")

    def walked(count):
        z, levels = x, torch.linspace(0.4, 0.0, count + 1).tolist()
        for now, then in pairwise(levels):
            z = guidance.steer(z, x, Identity(), now, then)
        return z

    few, many = walked(2), walked(20)
    assert (few - many).norm() < 0.1 * (many - x).norm()


def test_no_weight_makes_a_picture_go_blank():
    x = astronaut(32)
    for weight in (10.0, 1e6):
        moved = with_term("total_variation", weight).steer(x, x, Identity(), now=0.2)
        assert float((moved - x).square().mean().sqrt()) <= 0.07 + 1e-4  # ERROR_SHARE 0.2


def test_a_flow_is_exponential_where_the_loss_is_quadratic():
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(
        flow(lambda x: 5 * x, x, 0.3), x * torch.exp(torch.tensor(-1.5)), rtol=1e-3, atol=1e-4
    )
    assert torch.equal(flow(lambda x: 5 * x, x, 0.0), x)


def test_reddiff_is_steered_too():
    guidance = with_term("exposure", target=0.9)
    sampler = REDdiff(schedule=Schedule(40))
    A, y = Differences(), Differences()(astronaut(32))
    plain, steered = (
        float(to_image(one(GaussianPrior(0.0, 0.5), A, y, [0]).x).mean())
        for one in (sampler, replace(sampler, guidance=guidance))
    )
    assert steered > plain + 0.1


def test_guidance_without_y_is_refused():
    only = {"exposure": [1.0, losses.exposure]}
    with pytest.raises(ValueError, match=r"compares with y.*give at least fidelity"):
        GDPx0(guidance=Guidance(only))


def test_values_are_a_pixel():
    x, guidance = astronaut(32), with_term("exposure", weight=3.0, target=0.44)
    values = guidance.values(x, x, Identity())
    wide = guidance.values(torch.cat([x, x], -1), torch.cat([x, x], -1), Identity())
    assert values["fidelity"] == 0 and values["exposure"] == pytest.approx(wide["exposure"])


def test_a_perceptual_term_needs_its_weights(tmp_path):
    term = Perceptual(weights=str(tmp_path / "none.pth"))
    assert Guidance({"perceptual": [0.0, term]}).quality() is None
    with pytest.raises(
        ValueError, match=r"none\.pth is not there; put torchvision's.*weights=FILE"
    ):
        Guidance({"perceptual": [1.0, term]})


def test_the_perceptual_term(tmp_path):
    """With random weights: it is 0 for y itself, grows with blur, and has a gradient."""
    vgg16 = pytest.importorskip("torchvision").models.vgg16
    torch.manual_seed(0)
    features = vgg16(weights=None).features[:23].eval().requires_grad_(False)
    term, x = Perceptual(features=features), astronaut(32)
    blurred = torch.nn.functional.avg_pool2d(x, 5, 1, 2, count_include_pad=False)
    assert float(term(x, x, Identity())) == 0 < float(term(blurred, x, Identity()))
    g = Guidance({"perceptual": [1.0, term]}).gradient(blurred, x, Identity())
    assert g.isfinite().all() and g.any()
    with pytest.raises(ValueError, match="take another term"):
        term(x, torch.zeros(1, 3, 4, 4), AvgPool(8))
