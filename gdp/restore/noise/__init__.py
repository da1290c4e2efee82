"""The noise of a photo by frequency, colour and brightness, and where it is known from."""

from gdp.restore.noise.codec import estimate
from gdp.restore.noise.model import NoiseModel

__all__ = ["NoiseModel", "estimate"]
