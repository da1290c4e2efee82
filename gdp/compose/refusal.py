"""Hydra's refusals in a line or two, with the nearest names that exist. Errors are known by what they carry: nothing heavy is imported."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from gdp.storage.places import CONF


def refusal(error: Exception) -> str:
    """What Hydra or OmegaConf refused."""
    options = getattr(error, "options", None)
    if options is not None:
        group, _, name = (getattr(error, "missing_cfg_file", None) or "").rpartition("/")
        return f"no {group} named {name!r}{nearest(name, options)}"
    text = " ".join(str(error).split())
    key = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct", text)
    if key:
        whole = re.search(r"full_key: (\S+)", text)
        name = whole[1] if key[2] and whole else key[1] or key[2]
        hint = "" if "." in name else nearest(name, settings())
        return f"no setting named {name!r}{hint}; --cfg job lists them, and a new one is added by +{name}=..."
    return text.split(" See https://")[0].split(" full_key:")[0]


def settings() -> list[str]:
    """The names that conf/config.yaml and its groups define."""
    return [*re.findall(r"^(\w+):", (CONF / "config.yaml").read_text(), re.M), *groups()]


def groups() -> list[str]:
    """The folders of conf/."""
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
