"""A configuration that travels: as plain values to a process, and a Setup made of it there."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gdp.compose.building import build
from gdp.compose.configuration import compose_line
from gdp.restore.setup import Setup


def plain(cfg: DictConfig) -> dict[str, Any]:
    """A configuration as nested plain values, which can be pickled."""
    values = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def rebuild(config: Mapping[str, Any], choices: Mapping[str, str], words: Sequence[str]) -> Setup:
    """What a configuration describes.

    Raises:
        ValueError, TypeError, OSError: as `build` refuses it.
    """
    cfg = OmegaConf.create(dict(config))
    OmegaConf.set_struct(cfg, True)
    return build(cfg, choices, words)


def changed(
    words: Sequence[str], settings: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The configuration of a command line of which some settings are others.

    Args:
        words: of the command line.
        settings: what goes in place of its words, or beside them, as text.

    Returns:
        Its plain values, what it chooses of each group, and the words that may change numbers.

    Raises:
        ValueError: a value is refused.
    """
    rest = [word for word in words if word.partition("=")[0].lstrip("+~") not in settings]
    rest = [word for word in rest if not word.startswith(("hydra.", "hydra/", "+hydra"))]
    own = [f"{name}={spoken(value)}" for name, value in settings.items()]
    cfg, choices = compose_line([*rest, *own])
    return plain(cfg), choices, [*rest, *own]


def spoken(value: str) -> str:
    """A value as Hydra's grammar reads it: a word or a number as it is, anything else in quotes."""
    if value.replace("_", "").replace(".", "").replace("-", "").isalnum():
        return value
    if value[0] + value[-1] in ("[]", "{}"):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
