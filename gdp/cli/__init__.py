"""The command line: compose the configuration, build its parts, restore every photo, save.

`python run.py --help` lists the settings.
"""

from gdp.cli.command import main
from gdp.cli.messages import DONE, INTERRUPTED, REFUSED, SOME_FAILED

__all__ = ["DONE", "INTERRUPTED", "REFUSED", "SOME_FAILED", "main"]
