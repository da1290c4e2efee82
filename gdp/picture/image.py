"""gdp.picture, under the name that its importers have for some minutes more."""

from gdp.picture import *  # noqa: F403
from gdp.picture import __all__ as __all__
