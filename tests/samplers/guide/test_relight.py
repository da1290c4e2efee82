"""An exposure term sets the light of a blind model, which y alone leaves open."""

import pytest
import torch

from gdp.picture import to_image, to_model
from gdp.prior.gaussian import GaussianPrior
from operators.identity import Identity
from operators.light import Light
from samplers.anchored import Anchored
from samplers.gdp_linesearch import GDPLineSearch
from samplers.guide.guidance import Guidance
from samplers.guide.losses import exposure, fidelity
from samplers.guide.relight import relight
from samplers.restorer import Run
from tests.operators.light.photos import photo


def asked(target, weight=1.0):
    """A guidance that asks for a brightness."""
    term = lambda x0, y, A: exposure(x0, y, A, target)  # noqa: E731
    return Guidance({"fidelity": [1.0, fidelity], "exposure": [weight, term]})


@pytest.mark.parametrize("target", [0.2, 0.5, 0.8])
def test_what_y_shows_comes_to_the_target(target):
    y = to_model(torch.cat([0.1 * photo(), 0.3 * photo("coffee")]))
    A = Light().bind(y)
    relight(A, y, asked(target))
    means = A.developed(y).clamp(0, 1).mean((1, 2, 3))
    assert means.tolist() == pytest.approx([target] * 2, abs=0.02)

    # The model still holds, and f stays where it was put.
    inside = A.point < 0.99
    assert (A.expose(A.point) - to_image(y))[inside].abs().max() < 0.01
    before = A.f.clone()
    A.fit(to_model(A.point), y, 0.05)
    assert torch.allclose(A.f, before, rtol=0.05)


@pytest.mark.parametrize("sampler", ["anchored", "gdp_linesearch"])
def test_a_restoration_comes_to_the_target(sampler):
    y, prior = to_model(0.1 * photo(size=48)), GaussianPrior(0.0, 0.5)
    for target in (0.3, 0.5):
        guidance = asked(target)
        one = Anchored(guidance=guidance) if sampler == "anchored" else None
        made = (one or GDPLineSearch(guidance=guidance)).restore(
            prior, Light().with_noise(0.01), y, Run([0])
        )
        assert float(to_image(made.x).clamp(0, 1).mean()) == pytest.approx(target, abs=0.05)


def test_nothing_changes_unless_it_is_asked():
    y = to_model(0.1 * photo())
    A = Light().bind(y)
    f = A.f.clone()
    for guidance in (None, asked(0.8, 0.0), Guidance()):
        relight(A, y, guidance)
    relight(Identity(), y, asked(0.8))
    assert torch.equal(A.f, f)
