"""The command line. `python run.py --help` tells more."""

import sys

from gdp.cli import main

if __name__ == "__main__":
    sys.exit(main())
