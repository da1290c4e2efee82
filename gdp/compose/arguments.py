"""Settings of groups, checked against what the part that they describe takes.

The table of settings knows the global ones; those of a group are arguments of its `_target_`, and
are as well known by its signature: their names, and their types where these are plain.
"""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from types import NoneType
from typing import Any, get_origin, get_type_hints

from omegaconf import DictConfig
from torch import nn

from gdp.compose.refusal import nearest
from gdp.compose.setting import TRUTH_WORDS, Setting

PLAIN = (bool, int, float, str, NoneType)  # types that are checked
MODULE_INIT = vars(nn.Module)["__init__"]  # takes anything, and does nothing with it
OURS = ("gdp.", "operators.", "samplers.")  # modules of parts
LONGEST_VALUE = 60  # characters that an error repeats


def check_arguments(node: DictConfig, where: str) -> None:
    """Check a node's settings, and those of the nodes in it; `yes` and `off` become true or false.

    Args:
        node: what describes a part, with a `_target_`; one without is not checked.
        where: its dotted name.

    Raises:
        ValueError: the target takes no argument of a name, or a value is not of its type.
    """
    target = made_by(node)
    for key in list(node):
        name, value = f"{where}.{key}", node[key]
        if isinstance(value, DictConfig):
            check_arguments(value, name)
        if target is None or str(key).startswith("_"):
            continue

        taken, open_ended = arguments(target)
        if key not in taken:
            if open_ended:
                continue
            raise ValueError(
                f"{name} is no setting: {target.__name__} takes no {key}"
                f"{nearest(str(key), list(taken))}"
            )
        refuse_plain(taken[str(key)], name, value)
        setting = plain(taken[str(key)], name)
        if setting is None or isinstance(value, Mapping):
            continue
        if bool in setting.options and isinstance(value, str):
            value = node[key] = TRUTH_WORDS.get(value.lower(), value)
        if not accepts(setting, value):
            shown = str(value)[:LONGEST_VALUE]
            raise ValueError(f"{name}={shown}; it is {setting.kind}")


def made_by(node: Mapping[Any, Any]) -> Callable[..., Any] | None:
    """What a node's `_target_` names; None where there is no such thing, which making it tells."""
    module, _, name = str(node.get("_target_")).rpartition(".")
    try:
        found = getattr(import_module(module), name, None) if module else None
    except Exception:  # a user's module may raise anything
        return None
    return found if callable(found) and module != "hydra.utils" else None


def arguments(target: Callable[..., Any]) -> tuple[dict[str, Any], bool]:
    """The types of a target's arguments, by name; and whether it takes any others too."""
    if inspect.getattr_static(target, "__init__", None) is MODULE_INIT:
        return {}, False
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return {}, True
    try:
        made = inspect.getattr_static(target, "__init__") if isinstance(target, type) else target
        hints = get_type_hints(made)
    except Exception:  # names in annotations that are there for type checkers only
        hints = {}

    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    taken = {p.name: hints.get(p.name, Any) for p in parameters if p.kind in named}
    return taken, any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)


def plain(hint: Any, name: str) -> Setting | None:
    """A setting of that type, if values can be told to be of it; else None."""
    setting = Setting(section="", help="", name=name, type=hint)
    known = all(o in PLAIN or str(get_origin(o)) == "typing.Literal" for o in setting.options)
    return setting if known else None


def refuse_plain(hint: Any, name: str, value: Any) -> None:
    """Raise ValueError at a plain value where the type is a class of ours, which has settings."""
    options = Setting(section="", help="", name=name, type=hint).options
    ours = [o for o in options if str(getattr(o, "__module__", "")).startswith(OURS)]
    if not ours or len(ours) < len([o for o in options if o is not NoneType]):
        return
    if value is None and NoneType in options:
        return
    if value is None or isinstance(value, str | int | float):
        shown = "null" if value is None else str(value)[:LONGEST_VALUE]
        raise ValueError(
            f"{name}={shown}; it has settings of its own, {name}.NAME= (--cfg job lists them)"
        )


def accepts(setting: Setting, value: Any) -> bool:
    """Whether a value is of a setting's type; paths are text."""
    text = str in setting.options and hasattr(value, "__fspath__")
    return text or setting.accepts(value)
