"""What Hydra refuses, in a line or two, with the nearest names that exist."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from gdp.compose.settings import SETTINGS
from gdp.storage.places import CONF


def refusal(error: Exception) -> str:
    """The message for an error of Hydra or OmegaConf."""
    # A file of a group that is not there.
    options = getattr(error, "options", None)
    if options is not None:
        group, _, name = (getattr(error, "missing_cfg_file", None) or "").rpartition("/")
        return f"no {group} named {name!r}{nearest(name, options)}"

    # A setting that is not there: Hydra says so of a word, OmegaConf of a key.
    text = " ".join(str(error).split())
    word = re.search(r"Could not override '([^']+)'", text)
    name = word[1] if word else ""
    if isinstance(error, ConfigAttributeError | ConfigKeyError):
        name = str(error.full_key)
    if name:
        hint = "" if "." in name else nearest(name, [*SETTINGS, *groups()])
        return (
            f"no setting named {name!r}{hint}; --cfg job lists them, "
            f"and a new one is added by +{name}=..."
        )

    return text.split(" See https://")[0].split(" full_key:")[0]


def groups() -> list[str]:
    """The groups of settings: the folders of conf/."""
    return [
        folder.name
        for folder in CONF.iterdir()
        if folder.is_dir() and not folder.name.startswith("_")
    ]


def nearest(name: str, options: Sequence[str]) -> str:
    """A hint at names that exist."""
    known = sorted(set(options) - {"defaults", "hydra"})
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(known)}"
