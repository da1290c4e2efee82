"""What Hydra refuses, in a line or two, with the nearest names that exist."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

import yaml
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from gdp.compose.setting import TRUTH_WORDS
from gdp.compose.settings import SETTINGS
from gdp.storage.places import CONF


class UnknownNameError(ValueError):
    """A setting that does not exist."""


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
        return unknown(name)

    # Choices between commas, without -m
    ambiguous = re.match(r"Ambiguous value for argument '([^']+)'", text)
    if ambiguous:
        return f"{ambiguous[1]} is several values; give -m for a job of each"
    return text.split(" See https://")[0].split(" full_key:")[0]


def unknown(name: str) -> str:
    """The message for a setting that is not there, with the nearest that are.

    Of a setting of a group that other choices of the group have, it says which.
    """
    group, dot, inner = name.partition(".")
    new = f"--cfg job lists them, and a new one is added by +{name}=..."
    if not dot:
        return (
            f"no setting named {name!r}{nearest(name, [*SETTINGS, *groups()])} (--help lists them)"
        )
    if group not in groups():
        return f"no setting named {name!r}{nearest(group, groups())}; {new}"

    listed = re.sub(r"\.\d+(\..*)?$", "", inner)  # a list's item, as a term's weight
    owners = [choice for choice, keys in settings_of_group(group).items() if listed in keys]
    if owners:
        return (
            f"{name} is a setting of {group}={', '.join(owners)}; "
            f"the {group} that is chosen here has none of that name"
        )
    keys = {f"{group}.{key}" for keys in settings_of_group(group).values() for key in keys}
    hint = nearest(name, sorted(keys), few=True)
    return f"no setting named {name!r}{hint}; {new}"


def groups() -> list[str]:
    """The groups of settings: the folders of conf/."""
    return [
        folder.name
        for folder in CONF.iterdir()
        if folder.is_dir() and not folder.name.startswith("_")
    ]


def choices_of(group: str) -> list[str]:
    """The choices of a group: the files of its folder."""
    return sorted(file.stem for file in (CONF / group).glob("*.yaml"))


@cache
def settings_of_group(group: str) -> dict[str, set[str]]:
    """The dotted names of the settings of each choice of a group."""
    found = {}
    for choice in choices_of(group):
        text = (CONF / group / f"{choice}.yaml").read_text(encoding="utf-8")
        found[choice] = set(names(yaml.safe_load(text) or {}))
    return found


def names(node: Mapping[Any, Any]) -> Iterator[str]:
    """The dotted names in nested settings, without those that begin with an underscore."""
    for key, value in node.items():
        if str(key).startswith("_") or key == "defaults":
            continue
        yield str(key)
        if isinstance(value, Mapping):
            yield from (f"{key}.{inner}" for inner in names(value))


def nearest(name: str, options: Sequence[str], few: bool = False) -> str:
    """A hint at names that exist; all of them where none is near, unless only a `few` are asked."""
    known = sorted(set(options) - {"defaults", "hydra"})
    close = get_close_matches(name, known, n=3, cutoff=0.5 if not few else 0.75)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return "" if few else f"; there are {', '.join(known)}"


def validate(cfg: DictConfig) -> None:
    """Check every global setting, and turn words such as `yes` and `off` into true or false.

    Raises:
        ValueError: a value is not of its setting's type, or out of bounds.
    """
    for name, setting in SETTINGS.items():
        if setting.type is bool and isinstance(cfg[name], str):
            cfg[name] = TRUTH_WORDS.get(cfg[name].lower(), cfg[name])

    for name, setting in SETTINGS.items():
        if not setting.accepts(cfg[name]):
            raise ValueError(setting.refusal(cfg[name]))
    if cfg.scene and cfg.page is not None:
        raise ValueError("page= is of single photos; give the exposures of a scene as files")
