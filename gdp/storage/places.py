"""Where the files are that come with the program, and where it puts those it fetches or makes."""

import os
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]  # the folder gdp

# conf/ lies in the package where that is installed, and beside it among the sources.
CONF = PACKAGE / "conf" if (PACKAGE / "conf").is_dir() else PACKAGE.parent / "conf"
SAMPLE = PACKAGE / "picture" / "samples" / "cat.png"
BUNDLED = PACKAGE / "prior" / "bundled"
COPIES = "remote"  # in the cache folder: copies of files that lie in some storage


def cache_folder() -> Path:
    """The user's folder for downloaded weights and compiled kernels.

    GDP_CACHE names it; without that it is the system's usual place for caches.
    """
    chosen = os.environ.get("GDP_CACHE")
    if chosen:
        return Path(chosen)

    try:
        import pooch
    except ImportError:  # a machine with torch alone: where the folder is on Linux
        place = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        folder = Path(place) / "gdp"
    else:
        try:
            folder = Path(pooch.os_cache("gdp"))
        except RuntimeError:  # it found no home
            folder = Path()

    # Without a home there is no such place; `~` is left as it is then.
    user = os.getuid() if hasattr(os, "getuid") else 0
    return folder if folder.is_absolute() else Path(tempfile.gettempdir()) / f"gdp-{user}"


def expand(path: str | Path) -> Path:
    """A path in which ~ or ~NAME is a user's home.

    Raises:
        FileNotFoundError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise FileNotFoundError(
            f"{path}: no home folder is known of such a user; give the path without ~, "
            f"or as ./{path} if the file is called so"
        ) from None
