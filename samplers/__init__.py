"""Samplers: each is one file that reads like its paper; the loop is written once, in base.py."""

from operators.tools.aliases import Aliases

MOVED = {
    "samplers.late": "samplers.start",
    "samplers.descent": "samplers.guide.descent",
    "samplers.gdp_x0_paper": "samplers.gdp_released",
    "samplers.gdp_x0_v1": "samplers.gdp_released",
    "samplers.gdp_xt": "samplers.gdp_released",
    "samplers.gdp_xt_v1": "samplers.gdp_released",
}

Aliases(MOVED).install()
