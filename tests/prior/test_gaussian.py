"""The exact denoiser of Gaussian images."""

import torch

from gdp.prior.gaussian import GaussianPrior


def test_gaussian_prior_denoises_exactly():
    """Its x0 is the conditional mean: uncorrelated with what is left over."""
    covariance = torch.tensor([[1.0, 0.6, 0.0], [0.6, 1.0, 0.3], [0.0, 0.3, 0.5]])
    prior = GaussianPrior(0.1, covariance=covariance)
    x = (0.1 + torch.randn(40000, 3) @ torch.linalg.cholesky(covariance).T).view(-1, 3, 1, 1)
    noisy = prior.a(300) ** 0.5 * x + (1 - prior.a(300)) ** 0.5 * torch.randn_like(x)
    error = (prior(noisy, 300).x0 - x).flatten(1)
    assert (error.T @ (noisy.flatten(1) - noisy.flatten(1).mean(0)) / len(x)).abs().max() < 0.02
    torch.testing.assert_close(
        GaussianPrior(0.1, 0.5)(noisy, 300).x0,
        GaussianPrior(0.1, covariance=0.25 * torch.eye(3))(noisy, 300).x0,
    )
