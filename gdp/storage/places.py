"""Where the files are that come with the program, and where it puts those it fetches or makes."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]  # the package gdp
CONF = HERE / "conf" if (HERE / "conf").is_dir() else HERE.parent / "conf"  # installed, or sources
SAMPLE = HERE / "picture" / "samples" / "cat.png"
BUNDLED = HERE / "prior" / "bundled"


def cache_folder() -> Path:
    """The user's folder for downloaded weights and compiled kernels.

    GDP_CACHE names it; without that it is the system's usual place for caches.
    """
    given = os.environ.get("GDP_CACHE")
    if given:
        return Path(given)

    try:
        import pooch
    except ImportError:  # a machine with torch alone: where the folder is on Linux
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gdp"
    return Path(pooch.os_cache("gdp"))
