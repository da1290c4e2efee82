"""Terms for x0 besides y: what each likes, and that they reach every kind of sampler."""

import pytest
import torch

from gdp.compose.configuration import compose, make
from gdp.picture import to_image, to_model
from gdp.prior.gaussian import GaussianPrior
from operators.identity import Identity
from samplers.anchored import Anchored
from samplers.auto import Auto
from samplers.gdp_linesearch import GDPLineSearch
from samplers.guide import losses
from samplers.guide.guidance import Guidance
from tests.photos import astronaut

TERMS = [
    "fidelity_l1",
    "fidelity_ssim",
    "exposure",
    "colour_constancy",
    "spatial_consistency",
    "saturation",
    "total_variation",
]


@pytest.mark.parametrize("name", TERMS)
def test_terms(name):
    term, A = getattr(losses, name), Identity()
    x = (1.2 * astronaut()).requires_grad_()
    y = 0.5 * astronaut().flip(-1) - 0.3
    value = term(x, y, A)
    assert value.shape == (1,) and value.isfinite().all() and value >= 0
    both = term(torch.cat([x, y]), torch.cat([y, y]), A)
    torch.testing.assert_close(both[:1], value)
    (g,) = torch.autograd.grad(value.sum(), x)
    assert g.isfinite().all() and g.any()
    assert term(x - 1e-2 * g / g.abs().max(), y, A) < value
    value = value.detach()
    wide = term(torch.cat([x, x], -1).detach(), torch.cat([y, y], -1), A)
    if name != "spatial_consistency":  # there the seam counts
        assert abs(float(wide / value) - 2) < 0.1


def test_what_the_losses_like():
    x, A = astronaut(), Identity()
    assert losses.exposure(to_model(torch.full_like(x, 0.44)), x, A) < losses.exposure(
        x - 0.6, x, A
    )
    tinted = to_model(to_image(x) * torch.tensor([1.0, 0.8, 0.5]).view(1, 3, 1, 1))
    assert (
        losses.colour_constancy(to_model(to_image(x).mean(1, keepdim=True).expand_as(x)), x, A)
        < 1e-6
        < losses.colour_constancy(tinted, x, A)
    )
    assert (
        losses.spatial_consistency(x, 0.2 * x - 0.7, A)
        < 1e-3
        < losses.spatial_consistency(x.flip(-1), x, A)
    )
    assert losses.saturation(x.clamp(-1, 1), x, A) == 0


def test_quality_terms_reach_every_kind_of_sampler():
    guidance = make(
        compose(
            "guidance=quality",
            "guidance.terms.colour_constancy.0=30.0",
            "guidance.terms.total_variation.0=0.0",
        ).guidance
    )
    quality = guidance.quality()
    assert list(quality.terms) == ["colour_constancy"] and Guidance().quality() is None
    y = astronaut() * torch.tensor([1.0, 0.6, 0.2]).view(1, 3, 1, 1)
    A = Identity()
    A.sigma_y = 0.3

    def colour(sampler):
        return losses.colour_constancy(sampler(GaussianPrior(), A, y, [0]).x, y, A)

    assert colour(Anchored(guidance=quality)) < 0.9 * colour(Anchored())
    assert colour(GDPLineSearch(guidance=guidance)) < colour(GDPLineSearch())
    chosen = Auto(guidance=guidance).for_operator(A)
    assert isinstance(chosen, Anchored) and chosen.guidance.terms.keys() == quality.terms.keys()
