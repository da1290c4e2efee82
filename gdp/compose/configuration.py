"""The configuration of a command line, composed without the command line."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import hydra
from hydra import version
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from packaging.version import Version

from gdp.compose.building import build, make
from gdp.compose.refusal import groups, refusal
from gdp.compose.values import config_value, flatten, report_value
from gdp.storage.places import CONF

__all__ = [
    "build",
    "compose",
    "compose_line",
    "compose_settings",
    "compose_words",
    "group_choices",
    "make",
]

State: TypeAlias = frozenset[tuple[str, int, int]]

# How many command lines' configurations are kept.
KEPT = 128

HYDRA_LOCK = threading.Lock()  # Hydra's globals are one for all threads


def compose(*overrides: str) -> DictConfig:
    """The configuration of a command line.

    >>> cfg = compose("task=sr4", "sampler.eta=0")
    """
    return compose_words(overrides)[0]


def compose_words(overrides: Sequence[str]) -> tuple[DictConfig, dict[str, str]]:
    """The configuration of a command line, and what it chooses of each group of conf/.

    What the same words gave before is kept, as long as no file of conf/ has changed: Hydra reads
    some twenty of them each time.

    Raises:
        HydraException, OmegaConfBaseException: a name or a choice does not exist; see `refusal`.
    """
    words = tuple(overrides)
    elsewhere = any("hydra" in word for word in words)  # Hydra may be told of other folders
    cfg, choices = composed(words) if elsewhere else kept(words, state_of(CONF))
    return deepcopy(cfg), dict(choices)


@lru_cache(maxsize=KEPT)
def kept(words: tuple[str, ...], state: State) -> tuple[DictConfig, dict[str, str]]:
    """What is composed of conf/ in that state; not to be changed."""
    return composed(words)


def composed(words: tuple[str, ...]) -> tuple[DictConfig, dict[str, str]]:
    """The configuration of a command line and its choices, by Hydra."""
    with own_hydra():
        cfg = hydra.compose("config", overrides=list(words), return_hydra_config=True)

    choices = group_choices(cfg.hydra.runtime.choices)
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg, choices


def state_of(folder: Path) -> State:
    """The files of a folder and of those in it, each with its time in nanoseconds and its size."""
    files = []
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(path, name)
            with suppress(FileNotFoundError):  # it went just now
                stat = os.stat(file)
                files.append((file, stat.st_mtime_ns, stat.st_size))
    return frozenset(files)


def compose_line(words: Sequence[str]) -> tuple[DictConfig, dict[str, str]]:
    """The same, refusing in a line.

    Raises:
        ValueError: a name or a choice does not exist.
    """
    try:
        return compose_words(words)
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(refusal(error)) from None


@contextmanager
def own_hydra() -> Iterator[None]:
    """Within it Hydra composes from conf/; after it, also on errors, it is the caller's again."""
    with HYDRA_LOCK:
        instance, base = GlobalHydra.instance(), version.getbase()
        callers, job = instance.hydra, JobRuntime.instance().get("name")
        instance.clear()
        try:
            with hydra.initialize_config_dir(str(CONF), job_name="gdp", version_base="1.3"):
                yield
        finally:
            GlobalHydra.set_instance(instance)
            instance.hydra = callers
            JobRuntime.instance().set("name", job)
            if isinstance(base, Version):
                version.VersionBase.instance().setbase(base)


def group_choices(choices: Mapping[Any, Any]) -> dict[str, str]:
    """What was chosen of each group, without Hydra's own groups and those left out."""
    return {
        str(group): str(name)
        for group, name in choices.items()
        if name is not None and not str(group).startswith("hydra/")
    }


def compose_settings(
    settings: Mapping[str, Any],
) -> tuple[DictConfig, dict[str, str], list[str]]:
    """The configuration of settings that Python code gives by name.

    Args:
        settings: the command line's names, nested as {"operator": {"r": 2}} or with dots as
            {"operator.r": 2}; +name adds one. Values are plain ones or Tensors.

    Returns:
        The configuration, what it chooses of each group, and the settings as words of a command
        line.

    Raises:
        ValueError: Hydra refuses a name or a choice.
        TypeError: a value is of no kind that a setting has.
    """
    values = {name: config_value(name, value) for name, value in settings.items()}
    known = groups()
    choices = {
        name: value
        for name, value in values.items()
        if name in known and not isinstance(value, Mapping)
    }

    # Choices are words of Hydra's grammar; other values are put in as the objects that they are.
    try:
        cfg, names = compose_words([f"{name}={value}" for name, value in choices.items()])
        cfg._set_flag("allow_objects", True)
        for name, value in values.items():
            if name not in choices:
                put(cfg, name.lstrip("+"), value, new=name.startswith("+"))
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(refusal(error)) from None

    words = [f"{name}={value}" for name, value in flatten(report_value(values))]
    return cfg, names, words


def put(cfg: DictConfig, name: str, value: Any, new: bool) -> None:
    """Set a setting by its dotted name; a mapping goes into one that is there, key by key.

    Only `new` ones need not exist.
    """
    if isinstance(value, Mapping) and isinstance(OmegaConf.select(cfg, name), DictConfig):
        for key, inner in value.items():
            put(cfg, f"{name}.{key.lstrip('+')}", inner, new or key.startswith("+"))
    else:
        OmegaConf.update(cfg, name, value, force_add=new)
