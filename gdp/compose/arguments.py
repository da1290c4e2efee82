"""Settings of groups, written out, and checked against what the part that they describe takes.

The table of settings knows the global ones; those of a group are arguments of its `_target_`, and
are as well known by its signature: their names, and their types where these are plain.
"""

import inspect
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import NoneType
from typing import Any, get_origin, get_type_hints

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from torch import nn

from gdp.compose.refusal import choices_of, nearest, settings_of_group
from gdp.compose.setting import TRUTH_WORDS, Setting
from gdp.storage.places import CONF

PLAIN = (bool, int, float, str, NoneType)  # types that are checked
MODULE_INIT = vars(nn.Module)["__init__"]  # takes anything, and does nothing with it
OURS = ("gdp.", "operators.", "samplers.")  # modules of parts
LONGEST_VALUE = 60  # characters that an error repeats
log = logging.getLogger("gdp")


def expand_parts(cfg: DictConfig) -> None:
    """Put the settings of named operators where operator.ops has their names.

    A part is a name of conf/operator/, {name: {setting: value}}, or a node with a `_target_`.

    Raises:
        ValueError: there is no operator of that name, or a part is none of these.
    """
    parts = cfg.operator.get("ops")
    if not isinstance(parts, ListConfig):
        return
    known = choices_of("operator")

    nodes = []
    for part in parts:
        own: Any = {}
        if isinstance(part, DictConfig) and "_target_" not in part and len(part) == 1:
            part, own = next(iter(part.items()))
        if isinstance(part, str):
            if part not in known:
                raise ValueError(f"operator.ops: no operator named {part!r}{nearest(part, known)}")
            node = OmegaConf.load(CONF / "operator" / f"{part}.yaml")
            part = OmegaConf.merge(node, own or {})
        if not isinstance(part, DictConfig):
            raise ValueError(
                f"operator.ops: {part!r} is no part; it takes names of operators, or "
                "{name: {setting: value}}"
            )
        nodes.append(part)
    with open_dict(cfg):
        cfg.operator.ops = nodes


def expand_terms(cfg: DictConfig, choice: str | None) -> None:
    """Put the losses of guidance's terms where terms have their settings alone, and check them.

    Args:
        cfg: the configuration; guidance.terms.NAME is [weight, loss].
        choice: the file of conf/guidance/ that knows the losses.

    Raises:
        ValueError: a term is not of this form, or its loss does not take a setting.
    """
    file = CONF / "guidance" / f"{choice}.yaml"
    known: Any = OmegaConf.load(file).terms if file.is_file() else {}
    for name, pair in cfg.guidance.get("terms", {}).items():
        where, single = f"guidance.terms.{name}", isinstance(pair, int | float)
        if not isinstance(pair, ListConfig) or len(pair) != 2:
            shown = pair if single else "0.5"
            raise ValueError(
                f"{where}={str(pair)[:LONGEST_VALUE]}; a term is [weight, loss]: {where}.0={shown} "
                f"sets its weight, {where}.1.NAME=VALUE what its loss takes"
            )

        # Settings alone are those of the loss that the file knows by this name.
        loss = pair[1]
        if isinstance(loss, Mapping) and "_target_" not in loss and name in known:
            with open_dict(cfg):
                loss = pair[1] = OmegaConf.merge(known[name][1], loss)
        if not isinstance(loss, DictConfig) or "_target_" not in loss:
            raise ValueError(
                f"{where}.1={str(loss)[:LONGEST_VALUE]}; a loss is "
                "{_target_: module.function, _partial_: true}, with its settings"
            )
        check_arguments(loss, f"{where}.1")


def warn_of_terms(words: Sequence[str], taken: bool) -> None:
    """Warn of words that set the guidance of a sampler by which none is taken."""
    given = [word for word in words if word.lstrip("+").startswith(("guidance=", "guidance."))]
    if not given or taken:
        return
    takers = [name for name, keys in settings_of_group("sampler").items() if "guidance" in keys]
    log.warning(
        "%s changes nothing here, for this sampler takes no terms; sampler=%s do",
        given[0],
        ", ".join(takers),
    )


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
        refuse_single(taken[str(key)], name, value)
        setting = plain(taken[str(key)], name)
        if setting is None or isinstance(value, Mapping):
            continue
        if bool in setting.options and isinstance(value, str):
            value = node[key] = TRUTH_WORDS.get(value.lower(), value)
        if not accepts(setting, value):
            shown = str(value)[:LONGEST_VALUE]
            wild = isinstance(value, float) and not math.isfinite(value)
            finite = ", and neither nan nor infinite" if wild else ""
            raise ValueError(f"{name}={shown}; it is {setting.kind}{finite}")


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


def refuse_single(hint: Any, name: str, value: Any) -> None:
    """Raise ValueError at a plain value where the type is a list of such."""
    options = Setting(section="", help="", name=name, type=hint).options
    kinds = [get_origin(o) or o for o in options if o is not NoneType]
    listed = bool(kinds) and all(kind in (Sequence, list, tuple) for kind in kinds)
    if listed and isinstance(value, str | int | float):
        shown = str(value)[:LONGEST_VALUE]
        raise ValueError(f"{name}={shown}; it is a list, as {name}=[{shown}]")


def accepts(setting: Setting, value: Any) -> bool:
    """Whether a value is of a setting's type; paths are text."""
    text = str in setting.options and hasattr(value, "__fspath__")
    return text or setting.accepts(value)
