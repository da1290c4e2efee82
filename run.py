"""The command line. `python run.py --help` tells more."""

import sys

from gdp.stops import guarded

main = guarded("gdp.cli")

if __name__ == "__main__":
    sys.exit(main())
