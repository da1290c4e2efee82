"""Samplers: each is one file that reads like its paper; the loop is written once, in base.py."""

from operators.tools.aliases import Aliases

MOVED = {"samplers.late": "samplers.start", "samplers.descent": "samplers.guide.descent"}

Aliases(MOVED).install()
