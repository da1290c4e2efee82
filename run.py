"""The command line. `python run.py --help` tells more; `gdp studio` serves it in the browser."""

import sys

from gdp.stops import guarded


def main() -> int:
    """Run the command line, or the studio."""
    studio = sys.argv[1:2] == ["studio"]
    return guarded("gdp.studio" if studio else "gdp.cli")()


if __name__ == "__main__":
    sys.exit(main())
