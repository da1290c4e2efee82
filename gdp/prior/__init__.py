"""The unconditional DDPM as samplers see it, its schedule and noise, and where its weights are."""

from gdp.prior.prior import Prediction, Prior

__all__ = ["Prediction", "Prior"]
