"""The names under which classes are known outside: they stay what they are when a class moves.

Reports and fingerprints hold these, so a folder of results is known again whatever room of the
program a class lies in, and by whichever of its names a YAML asks for it.
"""

from collections.abc import Mapping
from typing import Any

import operators
import samplers
from gdp import moved

INSIDE = {
    "gdp.picture.masks": "gdp.image",
    "gdp.prior.prior": "gdp.prior",
    "operators.blur.diagonal": "operators.blur",
    "operators.blur.iterated": "operators.blur",
    "operators.blur.kernel_shape": "operators.kernels",
    "operators.blur.known": "operators.blur",
    "operators.light.light": "operators.light",
    "operators.light.radiance.stacked": "operators.light",
}
MOVED = {**moved.MOVED, **operators.MOVED, **samplers.MOVED}
PUBLIC = {**{today: known for known, today in MOVED.items()}, **INSIDE}
CLASSES = {  # of one file today, of several in former times
    "samplers.gdp_released.GDPx0Paper": "samplers.gdp_x0_paper.GDPx0Paper",
    "samplers.gdp_released.GDPx0V1": "samplers.gdp_x0_v1.GDPx0V1",
    "samplers.gdp_released.GDPxt": "samplers.gdp_xt.GDPxt",
    "samplers.gdp_released.GDPxtV1": "samplers.gdp_xt_v1.GDPxtV1",
}
HOLD_NAMES = ("_target_", "path")  # `path` is the argument of hydra.utils.get_method


def public(name: str) -> str:
    """The public name of module.Class or module.function; one that has not moved is its own."""
    if name in CLASSES:
        return CLASSES[name]
    module, dot, last = name.rpartition(".")
    return f"{PUBLIC.get(module, module)}{dot}{last}"


def with_public_names(settings: Any) -> Any:
    """Nested settings, with the public name of every class and function in them."""
    if isinstance(settings, Mapping):
        return {
            key: public(value)
            if key in HOLD_NAMES and isinstance(value, str)
            else with_public_names(value)
            for key, value in settings.items()
        }
    if isinstance(settings, list):
        return [with_public_names(value) for value in settings]
    return settings
