"""Moments of the diffusion process and of the steps back."""

import pytest
import torch

from gdp.prior.diffusion import learned_variance
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.noise import Noise


def test_posterior_composes():
    """Two steps of q's posterior have the moments of one."""
    prior, x0, x = GaussianPrior(), torch.full((1, 1, 1, 1), 0.7), torch.full((1, 1, 1, 1), -0.4)
    m_tr, s_tr = prior.posterior(x, x0, 600, 300, None)
    m_tu, s_tu = prior.posterior(x, x0, 600, 450, None)
    slope = (
        prior.posterior(x + 1, x0, 450, 300, None)[0] - prior.posterior(x, x0, 450, 300, None)[0]
    ).item()
    m_two, s_two = prior.posterior(m_tu, x0, 450, 300, None)
    torch.testing.assert_close(m_two, m_tr)
    assert s_two**2 + (slope * s_tu) ** 2 == pytest.approx(s_tr**2, rel=1e-6)
    assert prior.posterior(x, x0, 5, 0, None)[1] == 0
    torch.testing.assert_close(prior.posterior(x, x0, 5, 0, None)[0], x0)


def test_learned_variance_interpolates():
    v = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(learned_variance(v, 0.04, 0.01), torch.tensor([0.01, 0.02, 0.04]))


def test_diffusion_has_the_right_moments():
    prior, x = GaussianPrior(), torch.full((4, 3, 50, 50), 0.5)
    z = prior.diffuse(x, 0, 400, Noise(range(4)))
    two = prior.diffuse(prior.diffuse(x, 0, 150, Noise(range(4))), 150, 400, Noise(range(4, 8)))
    for sample in (z, two):
        assert float(sample.mean()) == pytest.approx(0.5 * prior.a(400) ** 0.5, abs=0.02)
        assert float(sample.var()) == pytest.approx(1 - prior.a(400), rel=0.03)
