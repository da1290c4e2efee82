"""Where the files are that come with the program, and where those go that it fetches or makes for itself."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONF = HERE / "conf" if (HERE / "conf").is_dir() else HERE.parent / "conf"  # in an installed package, and in the sources
SAMPLE = HERE / "samples" / "cat.png"


def cache_folder() -> Path:
    """The user's folder for weights that were downloaded and kernels that were compiled: GDP_CACHE, or the system's usual place."""
    given = os.environ.get("GDP_CACHE")
    if given:
        return Path(given)
    try:
        import pooch
    except ImportError:  # on a machine with torch alone: where it is on Linux
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gdp"
    return Path(pooch.os_cache("gdp"))
