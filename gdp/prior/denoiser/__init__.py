"""Denoisers of white noise as priors, alone or beside a diffusion model."""

from gdp.prior.denoiser.load import load_denoiser, load_mixed
from gdp.prior.denoiser.mixed import MixedPrior
from gdp.prior.denoiser.score import DenoiserPrior

__all__ = ["DenoiserPrior", "MixedPrior", "load_denoiser", "load_mixed"]
