"""`python -m gdp.studio` is `gdp studio`."""

import sys

from gdp.stops import guarded

if __name__ == "__main__":
    sys.exit(guarded("gdp.studio.command")())
